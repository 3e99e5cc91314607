/* main.c: lazy switching of the floating-point registers. They belong to the
   process that used them last, the owner. A switch to another one sets CR0.TS and
   moves nothing; that process's first floating-point instruction is #NM, whose
   handler saves the owner's registers and loads the process's own. */
#include "layout.h"
#include "lib.h"

#define DATA (USER_BASE + PAGE)
#define CR0_MP 2ul
#define CR0_EM 4ul
#define CR0_TS 8ul
#define CR0_NE 0x20ul
#define CR4_OSFXSR     0x200ul
#define CR4_OSXMMEXCPT 0x400ul

enum { VECTOR_NM = 7, VECTOR_MF = 16, VECTOR_XM = 19 };

struct process {
	const char *name;
	entry *table;
	int64_t *data;      /* its page at DATA */
	struct trap frame;  /* where it goes on */
	int started, ended;
	int used;           /* image is filled, or the registers are its own */
	uint8_t image[512] __attribute__((aligned(16)));
};

static struct process a = { .name = "A" }, b = { .name = "B" }, c = { .name = "C" };
static struct process *current, *owner;
static const char *plan; /* who runs next, and next, ... */
static word switches, moves, faults;

extern const char program_a[], program_a_divides[], program_a_waits[], program_a_end[];
extern const char program_b[], program_b_end[];
extern const char program_c[], program_c_end[];
#ifdef __x86_64__
extern const char program_b_divides[];
#endif

/* ---- the floating-point unit ---- */

static void set_ts(void)
{
	word cr0;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" ::"r"(cr0 | CR0_TS));
}

static void clear_ts(void)
{
	__asm__ volatile("clts");
}

static void fpu_init(void)
{
	word cr0;

	/* NE: errors are #MF. MP: FWAIT heeds TS, too, or it would find another's errors. */
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" ::"r"((cr0 | CR0_NE | CR0_MP) & ~CR0_EM));
#ifdef __x86_64__
	word cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_OSFXSR | CR4_OSXMMEXCPT));
#endif
	set_ts();
}

/* Neither FNSAVE nor FXSAVE waits: an exception that is pending is saved with the
   rest. FXSAVE leaves the registers as they are, FNSAVE empties them. */
static void save(struct process *p)
{
#ifdef __x86_64__
	__asm__ volatile("fxsave64 %0" : "=m"(p->image));
#else
	__asm__ volatile("fnsave %0" : "=m"(p->image));
#endif
}

static void load(struct process *p)
{
#ifdef __x86_64__
	__asm__ volatile("fxrstor64 %0" ::"m"(p->image));
#else
	__asm__ volatile("frstor %0" ::"m"(p->image));
#endif
}

static void load_new(void)
{
	__asm__ volatile("fninit");
#ifdef __x86_64__
	static const uint32_t masked = 0x1F80;

	__asm__ volatile("ldmxcsr %0" ::"m"(masked));
#endif
}

/* device_not_available is #NM: somebody needs the registers, and TS is set. */
static void device_not_available(struct trap *t)
{
	clear_ts();
	print("    #NM in %s at " ADDR ": ", current->name, t->ip);
	expect("the registers are another's", owner != current, 1);
	if (owner) {
		print("%s's registers are saved, ", owner->name);
		save(owner);
		moves++;
	}
	print("%s.\n", current->used ? "its own loaded" : "it gets new ones");
	if (current->used)
		load(current);
	else
		load_new();
	current->used = 1;
	owner = current;
}

/* math_fault is #MF: an instruction that waits has found ES. */
static void math_fault(struct trap *t)
{
	uint16_t status;

	__asm__ volatile("fnstsw %0" : "=m"(status));
	print("    #MF in %s at " ADDR ": exception flags 0x%02lx. Cleared.\n", current->name, t->ip, (word)(status & 0xff));
	expect("who divided", current == &a, 1);
	expect("the instruction that waited", t->ip, USER_BASE + (program_a_waits - program_a));
	expect("ES, and ZE beside PE", status & 0xff, 0xa4);
	__asm__ volatile("fnclex");
	faults++;
}

#ifdef __x86_64__
/* simd_fault is #XM: the instruction itself faults, before it has written
   anything. With the exception masked it gives the infinity. */
static void simd_fault(struct trap *t)
{
	uint32_t mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	print("    #XM in %s at " ADDR ": MXCSR 0x%04lx. Masked.\n", current->name, t->ip, (word)mxcsr);
	expect("who divided", current == &b, 1);
	expect("the division", t->ip, USER_BASE + (program_b_divides - program_b));
	mxcsr |= 0x200;
	__asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
}
#endif

/* ---- processes ---- */

static struct process *named(char name)
{
	return name == 'A' ? &a : name == 'B' ? &b : &c;
}

/* go_on makes a process the one that the trap returns to. */
static void go_on(struct trap *t, struct process *p)
{
	if (current != p)
		switches++;
	current = p;
	write_cr3((word)p->table);
	if (p == owner) {
		clear_ts();
		print("  %s runs; the registers are its own\n", p->name);
	} else {
		set_ts();
		print("  %s runs; TS is set\n", p->name);
	}
	if (!p->started) {
		struct trap fresh = *t;

		fresh.ip = USER_BASE;
		p->frame = fresh;
		p->started = 1;
	}
	*t = p->frame;
}

/* system_call: the process gives the processor away, or has come to its end. */
static void system_call(struct trap *t)
{
	current->frame = *t;
	current->started = 1;
	if (t->ax == 0) {
		print("    %s has come to its end\n", current->name);
		current->ended = 1;
	}
	if (!*plan)
		leave_user();
	go_on(t, named(*plan++));
}

/* follow runs the processes in the order of a plan. C begins, and at once gives
   the processor away to the first. */
static void follow(const char *order)
{
	plan = order;
	current = &c;
	write_cr3((word)c.table);
	run_user(USER_BASE);
}

static void make(struct process *p, const char *program, const char *end)
{
	void *code = alloc_page();

	p->table = identity_table();
	p->data = alloc_page();
	copy(code, program, end - program);
	map(p->table, USER_BASE, (word)code, USER);
	map(p->table, DATA, (word)p->data, USER | WRITE);
}

static void result(struct process *p, const char *what, word predicted)
{
	print("%s: %s, in billionths: %lu\n", p->name, what, (word)*p->data);
	expect("that it has ended", p->ended, 1);
	expect("the result", *p->data, predicted);
}

void kernel_main(void)
{
	console_init();
	segments_init();
	set_kernel_stack(STACK_TOP);
	on_trap(VECTOR_SYSCALL, system_call);
	on_trap(VECTOR_NM, device_not_available);
	on_trap(VECTOR_MF, math_fault);
#ifdef __x86_64__
	on_trap(VECTOR_XM, simd_fault);
#endif
	make(&a, program_a, program_a_end);
	make(&b, program_b, program_b_end);
	make(&c, program_c, program_c_end);
	paging_on(c.table);
	fpu_init();

	print("fpu-switch-%d: the floating-point registers stay with who used them last\n\n", (int)sizeof(word) * 8);
	print("1. A calculates, C does not: nothing is moved\n");
	follow("ACAC");
	expect("the moves", moves, 0);

	print("\n2. A and B calculate: each turn moves them once\n");
	follow("BABAB");
	expect("the moves", moves, 5);

	print("\n3. A divides by zero, unmasked, and is away before anything tells\n");
	follow("ABA");
	expect("the #MFs", faults, 1);
#ifdef __x86_64__
	print("\n4. Both divide by zero with SSE; B has it unmasked in its MXCSR\n");
	follow("BAB");
#else
	follow("B");
#endif
	print("\n%d. The results\n", IN_64(5, 4));
	result(&a, "e", 2718281828);
	result(&b, "the square root of 2", 1414213562);
	print("Switches: %lu. Saved and loaded: %lu times.\n", switches, moves);
	exit_run(surprises != 0);
}
