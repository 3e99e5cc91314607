/* main.c: breakpoints. The four of the debug registers, on instructions and on
   data, and INT3, which is a byte in the code. */
#include "lib.h"

#define CODE 0x3d0000ul /* the piece runs here */
#define DATA 0x3d1000ul /* on this */
#define RF   0x10000ul  /* EFLAGS: no instruction breakpoint for one instruction */

/* DR7: how breakpoint n is armed. Lengths of data are 1 or 4 bytes here. */
#define EXECUTE(n)     (2ul << 2 * (n))
#define WRITE_4(n)     (EXECUTE(n) | 0xDul << (16 + 4 * (n)))
#define READ_WRITE(n)  (EXECUTE(n) | 0x3ul << (16 + 4 * (n)))

extern const char piece[], piece_end[], inc_at[], stored[], byte_stored[], loaded[], patched[];

static int hits;
static const struct { const char *at; int number; } *expected;

static word address(const char *label)
{
	return CODE + (label - piece);
}

static word take_dr6(void)
{
	word value;

	__asm__ volatile("mov %%dr6, %0" : "=r"(value));
	__asm__ volatile("mov %0, %%dr6" ::"r"(0xFFFF0FF0ul));
	return value & 0xF;
}

/* An instruction breakpoint is a fault: the instruction has not run, and would
   hit again when the handler returns. RF lets it pass once. A data breakpoint
   is a trap: what accessed the data is done. */
static void debug(struct trap *t)
{
	word which = take_dr6();

	print("  #DB at " ADDR ", DR6 says breakpoint %d; EAX is %d\n", t->ip,
	      which == 1 ? 0 : which == 2 ? 1 : which == 4 ? 2 : 3, (int)t->ax);
	expect("the address", t->ip, address(expected[hits].at));
	expect("DR6", which, 1ul << expected[hits].number);
	hits++;
	t->flags |= RF;
}

/* INT3 is an instruction, and it is done: the saved address is behind it. */
static void breakpoint(struct trap *t)
{
	char *byte = (char *)(t->ip - 1);

	print("  #BP, saved %s " ADDR ": one behind the breakpoint. The byte is put back.\n",
	      IN_64("RIP", "EIP"), t->ip);
	expect("the address", t->ip - 1, address(patched));
	*byte = *patched;
	t->ip--;
	hits++;
}

static void run(int predicted)
{
	int result;

	hits = 0;
	result = ((int (*)(void))CODE)();
	print("  result %d, hits: %d\n", result, hits);
	expect("the result", result, 142);
	expect("the hits", hits, predicted);
}

#define write_dr(n, value) __asm__ volatile("mov %0, %%dr" #n ::"r"((word)(value)))

void kernel_main(void)
{
	static const typeof(*expected) execute[] = { { inc_at, 0 } };
	static const typeof(*expected) data[] = { { stored, 1 }, { byte_stored, 1 }, { loaded, 2 } };

	console_init();
	segments_init();
	paging_on(identity_table());
	on_trap(VECTOR_DB, debug);
	on_trap(VECTOR_BP, breakpoint);
	copy((void *)CODE, piece, piece_end - piece);

	print("breakpoints-%d: stop at an instruction, or at an access to data\n\n", (int)sizeof(word) * 8);
	print("1. DR0 on an instruction, INC EAX: before it runs\n");
	write_dr(0, address(inc_at));
	write_dr(7, EXECUTE(0));
	expected = execute;
	run(1);

	print("\n2. DR1 on writes to 4 bytes at " ADDR ", DR2 on reads and writes of\n"
	      "   1 byte at " ADDR ": after the access\n", DATA, DATA + 8);
	write_dr(1, DATA);
	write_dr(2, DATA + 8);
	write_dr(7, WRITE_4(1) | READ_WRITE(2));
	expected = data;
	run(3);

	print("\n3. INT3, written over the first byte of ADD EAX, 100\n");
	write_dr(7, 0);
	*(volatile char *)address(patched) = 0xCC;
	run(1);

	print("\n4. None\n");
	run(0);
	exit_run(surprises != 0);
}
