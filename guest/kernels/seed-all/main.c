/* main.c: the fix, and the ways in which it can fail.

   A module that takes over the page-fault vector has to be in every page table
   before it does so: at load time the kernel walks the list of processes and
   puts the module's entry into each table. This kernel does so, shows that the
   faults are the same and the double fault is gone, and then falls into each
   trap on the way. */
#include "modules.h"
#include "process.h"

static struct process list[12]; /* the newest last */
static int processes;

static int double_faults;
static word df_stack_pointer;

/* double_fault ends the process, where a kernel would panic. */
static void double_fault(void)
{
	double_faults++;
	df_stack_pointer = double_fault_stack_pointer();
	leave_double_fault();
}

/* A new process goes to the end of the list. */
static struct process *new_process(const char *name, const entry *from)
{
	struct process *p = &list[processes++];

	make_process(p, name, from);
	return p;
}

/* seed puts the entry of an address into one table and tells whether it was
   missing. seed_all walks from the newest process to the oldest; half_way is
   called before the last one's turn. */
static int seed(entry *table, word address)
{
	unsigned top = top_index(address);
	int missing = !(table[top] & PRESENT);

	table[top] = master[top];
	return missing;
}

static int seed_all(word address, void (*half_way)(void))
{
	int seeded = 0;

	for (struct process *p = &list[processes - 1]; p >= list; p--) {
		if (p == list && half_way)
			half_way();
		seeded += seed(p->table, address);
	}
	return seeded;
}

/* unload gives the vector back to the kernel, and takes an address out of every
   process's table again. All of them are loaded anew before they run. */
static void unload(word address)
{
	set_gate(VECTOR_PF, trap_entry(VECTOR_PF));
	for (struct process *p = list; p < list + processes; p++)
		p->table[top_index(address)] = 0;
}

/* Bytes of the frame of a process's fault, and of one in the kernel; how many
   of these fit below the first. */
enum { first = IN_64(48, 24), nested = IN_64(48, 16), fit = (PAGE - first) / nested };

enum { lives = -1 };

/* fault lets a process have an ordinary page fault. It lives, or it meets a
   double fault after a predicted number of page faults of the handler, each of
   which takes so many bytes of stack. */

static void fault(struct process *p, int predicted, int round)
{
	int dead = double_faults, before = faults, rounds;

	unmap(p->table, USER_HEAP);
	write_heap(p);
	if (double_faults == dead) {
		print("  %s: its page fault is handled.\n", p->name);
		expect("the deaths", lives, predicted);
		expect("the faults that reach the kernel", faults - before, 1);
		return;
	}
	rounds = predicted ? (int)((STACK_TOP - first - df_stack_pointer) / round) : 0;
	print("  %s: double fault, after its page fault and %d of the handler's.\n", p->name, rounds);
	expect("the handler's page faults", rounds, predicted);
	expect("the faults that reach the kernel", faults - before, 0);
}

static void tell_fix(void)
{
	print("1. The fix\n");
	load_module();
	print("A page-fault handler is mapped at " ADDR ", in the master: %s %d.\n"
	      "The kernel walks its processes and copies the entry into each table: %d seeded.\n"
	      "Then it changes the gate.\n",
	      MODULE_BASE, TOP_ENTRY, top_index(MODULE_BASE), seed_all(MODULE_BASE, 0));
	take_over();
	for (int i = 0; i < 3; i++)
		fault(&list[i], lives, 0);
	print("The module has counted %d faults.\n", module_faults());
	expect("the module's count", module_faults(), 3);
	print("A process that is forked now inherits the entry:\n");
	fault(new_process("A's child", list[0].table), lives, 0);
	print("\n");
}

static void fork_a(void)
{
	print("  (A, whose turn is next, forks: the child is new in the list)\n");
	new_process("A's late child", list[0].table);
}

static void tell_fork_under_way(void)
{
	print("2. Trap: a fork while the walk is under way\n");
	unload(MODULE_BASE);
	print("Loaded again. The walk goes from the newest process to the oldest.\n");
	print("  seeded: %d\n", seed_all(MODULE_BASE, fork_a));
	take_over();
	fault(&list[0], lives, 0);
	fault(&list[processes - 1], fit, nested);
	print("It has a copy of what A had, and the walk had passed its place. So no fork while\n"
	      "it lasts, or walk again until nobody is found:\n");
	print("  seeded: %d\n", seed_all(MODULE_BASE, 0));
	fault(&list[processes - 1], lives, 0);
	print("\n");
}

static void tell_stale_copy(entry *template)
{
	print("3. Trap: a table made from a stale copy\n");
	print("The kernel keeps a table ready, from which a new process is made fast. It was\n"
	      "copied from the master before the module came, and no process has it.\n");
	fault(new_process("D", template), fit, nested);
	seed(template, MODULE_BASE);
	print("It needs the entry too, like any table that will ever be loaded into CR3:\n");
	fault(new_process("E", template), lives, 0);
	print("\n");
}

/* reload puts a handler with its data or stack in the place of the last one. */
static void reload(const char *code, const char *next, const char *end, word more)
{
	char *page;

	unload(MODULE_BASE);
	page = load(MODULE_BASE, code, end);
	*(word *)(page + (next - code)) = trap_entry(VECTOR_PF);
	map(master, more, (word)alloc_page(), WRITE);
	seed_all(MODULE_BASE, 0);
	take_over();
}

static void tell_data(void)
{
	extern const char with_data[], with_data_next[], with_data_end[];

	print("4. Trap: the handler's code is seeded, its data is not\n");
	reload(with_data, with_data_next, with_data_end, MODULE_DATA);
	print("This handler counts at " ADDR ", under %s %d. It is entered, saves a\n"
	      "register, and its third instruction faults: %d bytes of stack for each round.\n",
	      MODULE_DATA, TOP_ENTRY, top_index(MODULE_DATA), IN_64(64, 20));
	fault(&list[0], IN_64(63, 203), IN_64(64, 20));
	print("With the data:\n");
	seed_all(MODULE_DATA, 0);
	fault(&list[0], lives, 0);
	print("\n");
}

static void tell_stack(void)
{
	extern const char with_stack[], with_stack_next[], with_stack_end[];

	print("5. Trap: the page of its stack is not\n");
	reload(with_stack, with_stack_next, with_stack_end, MODULE_STACK);
	print("This handler works on a stack of its own, up to " ADDR ". Its first push\n"
	      "there faults, and so does the push of that fault's frame: no recursion this time.\n",
	      MODULE_STACK + PAGE);
	fault(&list[0], 0, 0);
	expect("the stack pointer", df_stack_pointer, MODULE_STACK + PAGE);
	print("With the stack:\n");
	seed_all(MODULE_STACK, 0);
	fault(&list[0], lives, 0);
	print("\n");
	unload(MODULE_BASE);
}

/* The two cases of INVLPG, on A's table. */
static void use_changed_entries(void)
{
	volatile int *number = (volatile int *)(DRIVER_BASE + PAGE);
	int *old = alloc_page(), *new = alloc_page(), before = faults, found;

	*old = 1111;
	*new = 2222;
	map(master, (word)number, (word)old, WRITE);
	print("An entry that was not present: a fault, the entry is copied, no INVLPG.\n");
	found = *number;
	print("  It reads %d; page faults: %d. What is not present is never kept in the TLB.\n", found, faults - before);
	expect("the faults of a missing entry", faults - before, 1);

	map(master, (word)number, (word)new, WRITE);
	print("An entry that is changed, to a page that holds 2222, without INVLPG:\n");
	found = *number;
	print("  It reads %d. %s, as it may.\n", found, found == 1111 ?
	      "The TLB still has the old page" : "This processor has walked again");
	__asm__ volatile("invlpg (%0)" ::"r"(number) : "memory");
	print("With INVLPG:\n  It reads %d.\n", *number);
	expect("the number after INVLPG", *number, 2222);
	expect("the faults of a changed entry", faults - before, 1);
}

static void tell_invlpg(void)
{
	print("6. Trap: INVLPG\n");
	in_kernel(&list[0], use_changed_entries);
	print("\n");
}

void kernel_main(void)
{
	entry *template;

	console_init();
	processes_init(double_fault);

	print("seed-all-%d: a page-fault handler put into every page table, and who is forgotten\n\n",
	      (int)sizeof(word) * 8);
	template = alloc_page();
	copy(template, master, PAGE);
	new_process("A", master);
	new_process("B", master);
	new_process("C", master);
	tell_fix();
	tell_fork_under_way();
	tell_stale_copy(template);
	tell_data();
	tell_stack();
	tell_invlpg();
	expect("the double faults", double_faults, 4);
	if (surprises == 0)
		print("As predicted: 4 double faults, one for each trap that is one, and none with the fix.\n");
	exit_run(surprises != 0);
}
