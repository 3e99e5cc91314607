/* main.c: a module with a page-fault handler is unloaded and loaded again.

   What it leaves behind when it goes decides whether it can come back: entries
   in processes' tables that lead to a page table that is freed, and
   translations in the TLB that lead to a page that is freed. This kernel leaves
   each of them behind, shows how it bites, and then does it the right way. */
#include "places.h"
#include "process.h"

extern const char other_driver[], other_driver_end[];
extern const char version_1[], version_2[], version_3[], versions_end[];
extern const char keep_number[], keep_number_end[], try_kernel[], try_kernel_end[];
extern const char poke_store[], not_there[];
int poke(word address, int value);

static struct process a, b, c;
static struct process *const all[] = { &a, &b, &c };

static int double_faults;
static word df_stack_pointer;

/* double_fault ends the process, where a kernel would panic. */
static void double_fault(void)
{
	double_faults++;
	df_stack_pointer = double_fault_stack_pointer();
	leave_double_fault();
}

/* The other driver's handler counts its rounds, and goes where enough leads. */
volatile int rounds;
void (*const enough)(void) = leave_user;

/* on_page_fault turns an access of chapters 3 and 4 to what is nowhere mapped
   into the answer -1. Everything else is the kernel's. */
static void on_page_fault(struct trap *t)
{
	entry *table = (entry *)read_cr3();
	unsigned top = top_index(read_cr2());
	int in_master_only = !(table[top] & PRESENT) && (master[top] & PRESENT);

	if (!in_master_only && (t->ip == (word)poke_store || t->ip == CODE))
		t->ip = (word)not_there;
	else
		page_fault(t);
}

/* ---- the module ---- */

/* load_handler puts the module's handler on a new page, in the master. Its code
   is that of MODULE_BASE; in 32 bits its two operands are addresses, which a
   loader has to correct. */
static char *load_handler(word address)
{
	char *page = load(address, module, module_end);

	*(word *)(page + (module_next - module)) = trap_entry(VECTOR_PF);
#ifndef __x86_64__
	*(word *)(page + 2) += address - MODULE_BASE;
	*(word *)(page + 8) += address - MODULE_BASE;
#endif
	return page;
}

static int count(const char *page)
{
	return *(const int *)(page + (module_count - module));
}

static void give_back_gate(void)
{
	set_gate(VECTOR_PF, trap_entry(VECTOR_PF));
}

/* unload takes the page out of the lowest table, which all share. */
static void unload(word address)
{
	give_back_gate();
	unmap(master, address);
}

static void seed(word address)
{
	for (int i = 0; i < 3; i++)
		all[i]->table[top_index(address)] = master[top_index(address)];
}

/* ---- faults ---- */

enum { first = IN_64(48, 24), nested = IN_64(48, 16), fit = (PAGE - first) / nested };

/* fault lets a process have an ordinary page fault, and tells whether the
   process lived. */
static void fault(struct process *p, int lives)
{
	int dead = double_faults, before = faults;

	unmap(p->table, USER_HEAP);
	write_heap(p);
	if (double_faults == dead) {
		print("  %s: its page fault is handled.\n", p->name);
		expect("the faults that reach the kernel", faults - before, 1);
	} else {
		int rounds = (STACK_TOP - first - df_stack_pointer) / nested;

		print("  %s: double fault, after its page fault and %d of the handler's. (Panic.)\n", p->name, rounds);
		expect("the handler's page faults", rounds, fit);
	}
	expect("who lives", double_faults == dead, lives);
}

static void fault_all(void)
{
	for (int i = 0; i < 3; i++)
		fault(all[i], 1);
}

/* ---- the story ---- */

static void tell_page_table_kept(void)
{
	char *page;

	print("1. The page is taken out, the page table above it stays\n");
	load_handler(MODULE_BASE);
	seed(MODULE_BASE);
	set_gate(VECTOR_PF, MODULE_BASE);
	print("A page-fault handler is loaded at " ADDR ": %s %d, put into the\n"
	      "tables of A, B and C.\n", MODULE_BASE, TOP_ENTRY, top_index(MODULE_BASE));
	fault_all();
	unload(MODULE_BASE);
	page = load_handler(MODULE_BASE);
	set_gate(VECTOR_PF, MODULE_BASE);
	print("Unloaded, and loaded again at the same address, on another page. No table is seeded.\n");
	fault_all();
	expect("the second copy's count", count(page), 3);
	print("By accident: their %s %d of the first time leads to the page table where the\n"
	      "new page has its entry.\n", TOP_ENTRY, top_index(MODULE_BASE));

	unload(MODULE_BASE);
	load_handler(SECOND_BASE);
	set_gate(VECTOR_PF, SECOND_BASE);
	print("Unloaded, and loaded again at " ADDR ": %s %d, which they never had.\n",
	      SECOND_BASE, TOP_ENTRY, top_index(SECOND_BASE));
	fault(&a, 0);
	unload(SECOND_BASE);
	print("\n");
}

static void tell_page_table_freed(void)
{
	char *old = load_handler(MODULE_BASE), *new;
	entry *table = (entry *)((word)entry_of(master, MODULE_BASE) & ~(PAGE - 1)); /* the lowest */
	volatile int *secret = (int *)KERNEL_PAGE;

	print("2. The page table is freed too, and the processes' entries are forgotten\n");
	master[top_index(MODULE_BASE)] = 0;
	print("Loaded and unloaded at " ADDR ". The page and the page table%s are free.\n"
	      "%s %d is out of the master; in A, B and C it still leads there.\n",
	      MODULE_BASE, IN_64("s above it", ""), TOP_ENTRY, top_index(MODULE_BASE));

	new = load_handler(MODULE_BASE);
	set_gate(VECTOR_PF, MODULE_BASE);
	print("Loaded again at the same address, with another page and page table%s:\n", IN_64("s", ""));
	fault(&a, 1);
	print("  The new copy has counted %d faults, the freed one %d: stale code, and it works.\n",
	      count(new), count(old));
	expect("the new copy's count", count(new), 0);
	expect("the old copy's count", count(old), 1);

	copy(old, other_driver, other_driver_end - other_driver);
	print("The freed page goes to another driver, for a handler of another exception, which\n"
	      "counts and returns. A's table leads page faults there:\n");
	unmap(a.table, USER_HEAP);
	write_heap(&a);
	print("  A: the same page fault %d times, the instruction never gets on. (Hang.)\n", rounds);
	expect("the rounds", rounds, ENOUGH);

	for (unsigned i = 0; i < ENTRIES; i++)
		table[i] = 0;
	print("The freed page table%s is cleared, and becomes the heap of process B.\n", IN_64(" (the lowest)", ""));
	fault(&a, 0);
	map(b.table, USER_HEAP, (word)table, WRITE | USER);
	run(&b, keep_number, keep_number_end);
	print("Process B keeps a number in its heap: 0x%lx. To A's table that is an entry:\n"
	      "present, writable, user's, frame " ADDR ", a page of the kernel's.\n", NUMBER, KERNEL_PAGE);
	*secret = 1111;
	print("  It has %d. Process A writes 1234 to " ADDR ", in user mode:\n", *secret, MODULE_BASE);
	run(&a, try_kernel, try_kernel_end);
	print("  No page fault. The kernel's page has %d.\n", *secret);
	expect("the kernel's number", *secret, 1234);
	expect("the new copy's count", count(new), 0);

	seed(MODULE_BASE);
	print("With the entry of the master in every table:\n");
	fault_all();
	expect("the new copy's count", count(new), 3);
	print("\n");
}

/* What the function and the data at their old addresses do now. */
static int tell_call(void)
{
	int found = ((int (*)(void))CODE)();

	if (found == -1)
		print("  Call: page fault.\n");
	else
		print("  Call: it returns %d.\n", found);
	return found;
}

static void tell_write(const volatile int *frame)
{
	const char *how = poke(DATA, 1234) == -1 ? "page fault" : "done";

	print("  Write of 1234: %s; the frame has %d.\n", how, *frame);
}

/* use_stale is the module's life in one stay of process A in the kernel: CR3 is
   not loaded from beginning to end. */
static void use_stale(void)
{
	char *frame;
	volatile int *data = (int *)load(DATA, "", "");

	print("3. The tables are right, the TLB is not\n");
	print("What a processor has found in the tables it keeps in its TLB, until INVLPG or a load of\n"
	      "CR3. A module without a handler is at work in process A, in one stay in the kernel.\n");
	load(CODE, version_1, version_2);
	tell_call();
	tell_write(data);
	print("Loaded anew at the same address: another frame, a function that returns 2. No INVLPG:\n");
	frame = load(CODE, version_2, version_3);
	tell_call();
	print("INVLPG:\n");
	flush(CODE);
	expect("the version after INVLPG", tell_call(), 2);

	print("Unloaded: the entries are cleared, in the page table that all share. No INVLPG:\n");
	*entry_of(master, CODE) = *entry_of(master, DATA) = 0;
	tell_call();
	print("The frames get new owners: a function that returns 3, and the number 1111.\n");
	copy(frame, version_3, versions_end - version_3);
	*data = 1111;
	tell_call();
	tell_write(data);
	print("INVLPG for both, and the owner writes 1111 again:\n");
	flush(CODE);
	flush(DATA);
	*data = 1111;
	expect("a call after INVLPG", tell_call(), -1);
	tell_write(data);
	expect("the owner's number", *data, 1111);
	print("\n");
}

/* unload_right is done on A's table, and A has the module's page in its TLB. */
static void unload_right(void)
{
	entry *e = entry_of(master, MODULE_BASE);
	int *owner = (int *)((*e & ~(PAGE - 1)) + PAGE / 2);

	expect("a write before", poke(MODULE_BASE + PAGE / 2, 1), 0);
	give_back_gate();                       /* nobody goes there any more */
	*e = 0;                                 /* out of every table, at each level */
	master[top_index(MODULE_BASE)] = 0;
	seed(MODULE_BASE);
	flush(MODULE_BASE);                     /* out of the TLB; then all is free */
	*owner = 1111;
	print("  Write of 1234 to the old address: %s;",
	      poke(MODULE_BASE + PAGE / 2, 1234) == -1 ? "page fault" : "done");
	print(" the frame's new owner has %d.\n", *owner);
	expect("the owner's number", *owner, 1111);
}

static void tell_right_way(void)
{
	char *page;

	print("4. The right way\n");
	print("The gate is given back. The entry goes out of every table, at each level. INVLPG,\n"
	      "which other processes get by the next load of CR3. Only then page and tables are free.\n");
	in_kernel(&a, unload_right);
	page = load_handler(SECOND_BASE);
	seed(SECOND_BASE);
	set_gate(VECTOR_PF, SECOND_BASE);
	print("Loaded again at " ADDR ": put into every table, then into the gate.\n", SECOND_BASE);
	fault_all();
	expect("the last copy's count", count(page), 3);
	print("\n");
}

void kernel_main(void)
{
	console_init();
	processes_init(double_fault);
	on_trap(VECTOR_PF, on_page_fault);

	print("reload-%d: a module with a page-fault handler goes and comes back\n\n", (int)sizeof(word) * 8);
	make_process(&a, "A", master);
	make_process(&b, "B", master);
	make_process(&c, "C", master);
	tell_page_table_kept();
	tell_page_table_freed();
	in_kernel(&a, use_stale);
	tell_right_way();
	expect("the double faults", double_faults, 2);
	if (surprises == 0)
		print("As predicted: stale code twice, 2 panics, 1 hang, 1 write of a program's to the kernel's\n"
		      "memory; and none of it with the right way.\n");
	exit_run(surprises != 0);
}
