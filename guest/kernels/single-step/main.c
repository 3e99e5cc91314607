/* main.c: single steps. With TF set in EFLAGS the CPU raises #DB after each
   instruction. The handler knows what must come next: piece.S says it. */
#include "lib.h"

#define CODE 0x3d0000ul /* the piece runs here */
#define TF   0x100ul
#define BS   0x4000ul /* DR6: the #DB is a single step */

extern const char piece[], piece_end[];
extern const struct step {
	word next; /* offset of the instruction after */
	const char *done;
} steps[], steps_end[];

static int taken, system_calls;

static word take_dr6(void)
{
	word value;

	__asm__ volatile("mov %%dr6, %0" : "=r"(value));
	__asm__ volatile("mov %0, %%dr6" ::"r"(0xFFFF0FF0ul)); /* the CPU sets bits, and never clears them */
	return value;
}

static word flags(void)
{
	word value;
	__asm__ volatile("pushf; pop %0" : "=r"(value));
	return value;
}

static void debug(struct trap *t)
{
	const struct step *s = &steps[taken++];

	if (s >= steps_end) {
		print("SURPRISE: a step too many.\n");
		exit_run(1);
	}
	print("  #DB %2d after %s: next is " ADDR "\n", taken, s->done, t->ip);
	expect("the next instruction", t->ip, CODE + s->next);
	expect("DR6.BS", take_dr6() & BS, BS);
	expect("TF in the saved flags", t->flags & TF, s + 1 == steps_end ? 0 : TF);
	expect("TF in the handler", flags() & TF, 0);
}

static void system_call(struct trap *t)
{
	system_calls++;
	print("  a system call: TF was %d, is %d\n", (t->flags & TF) != 0, (flags() & TF) != 0);
	expect("TF in the saved flags", t->flags & TF, TF);
	expect("TF in the handler", flags() & TF, 0);
}

void kernel_main(void)
{
	word (*run)(void) = (word (*)(void))CODE;
	word image;

	console_init();
	segments_init();
	paging_on(identity_table());
	on_trap(VECTOR_DB, debug);
	on_trap(VECTOR_SYSCALL, system_call);
	copy((void *)CODE, piece, piece_end - piece);

	print("single-step-%d: a trap after each instruction\n\n", (int)sizeof(word) * 8);
	print("The piece of code at " ADDR " sets TF itself, and clears it at its end.\n", CODE);
	image = run();
	print("PUSHF pushed TF %d: code can see that it is being stepped.\n", (image & TF) != 0);
	print("%d traps, %d system call that was not stepped.\n", taken, system_calls);
	expect("TF in the pushed flags", image & TF, TF);
	expect("the traps", taken, steps_end - steps);
	expect("the system calls", system_calls, 1);
	exit_run(surprises != 0);
}
