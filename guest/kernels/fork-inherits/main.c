/* main.c: what a child's page table has.

   Fork copies the parent's entries. A child of a process that maps something
   maps it too; a child of one that does not, does not. That is a page fault
   more or less for a driver, and life or death for a page-fault handler. */
#include "process.h"

static struct process p, q;

/* fork_from makes a child as fork does: the parent's entries, and a copy of its
   memory. */
static void fork_from(const struct process *parent, struct process *child, const char *name)
{
	make_process(child, name, parent->table);
	copy(child->code, parent->code, PAGE);
}

static int has(const struct process *who, word address)
{
	return who->table[top_index(address)] & PRESENT;
}

static void drive(void)
{
	print("  the driver counts call %d\n", call_driver());
}

static void use(struct process *who, int predicted)
{
	int before = faults;

	print("%s calls the driver.\n", who->name);
	in_kernel(who, drive);
	print("  page faults on the way: %d\n", faults - before);
	expect("the faults of a call", faults - before, predicted);
}

static void tell_driver(void)
{
	static struct process child_p, child_q;

	print("1. A driver that P has used, and Q has not\n");
	load_driver();
	print("It is mapped at " ADDR ", in the master only.\n", DRIVER_BASE);
	use(&p, 1);
	fork_from(&p, &child_p, "P's child");
	fork_from(&q, &child_q, "Q's child");
	print("P and Q fork. %s %d of P's child: %s; of Q's child: %s.\n", TOP_ENTRY, top_index(DRIVER_BASE),
	      has(&child_p, DRIVER_BASE) ? "present" : "missing",
	      has(&child_q, DRIVER_BASE) ? "present" : "missing");
	use(&child_p, 0);
	use(&child_q, 1);
	print("What the child learns its parent does not:\n");
	use(&q, 1);
	print("\n");
}

static int double_faults;

/* double_fault ends the process, where a kernel would panic. */
static void double_fault(void)
{
	double_faults++;
	leave_double_fault();
}

static void fault(struct process *who, int deaths)
{
	int before = module_faults(), dead = double_faults;

	print("%s writes to a page that it was promised.\n", who->name);
	write_heap(who);
	if (double_faults == dead)
		print("  The module counts fault %d; the process goes on.\n", module_faults());
	else
		print("  Double fault: %s %d is missing, and no instruction of the module ran.\n",
		      TOP_ENTRY, top_index(MODULE_BASE));
	expect("double faults", double_faults - dead, deaths);
	expect("the module's count", module_faults() - before, !deaths);
}

static void tell_handler(void)
{
	static struct process child_p, grandchild_p, child_q;

	print("2. A page-fault handler that P maps, and Q does not\n");
	load_module();
	p.table[top_index(MODULE_BASE)] = master[top_index(MODULE_BASE)];
	take_over();
	print("It is mapped at " ADDR ", in the master. P was seeded: its %s %d was\n"
	      "copied before the gate of vector 14 was changed. Q was forgotten.\n",
	      MODULE_BASE, TOP_ENTRY, top_index(MODULE_BASE));
	fork_from(&p, &child_p, "P's child");
	fork_from(&child_p, &grandchild_p, "P's grandchild");
	fork_from(&q, &child_q, "Q's child");
	fault(&p, 0);
	fault(&child_p, 0);
	fault(&grandchild_p, 0);
	fault(&child_q, 1);
	fault(&q, 1);
	print("\n");
}

static void tell_copy_of_master(void)
{
	static struct process child_q;

	print("3. A fork that copies the kernel's entries from the master\n");
	make_process(&child_q, "Q's second child", master);
	copy(child_q.code, q.code, PAGE);
	fault(&child_q, 0);
	print("Nobody is forgotten who is born later; Q still lacks the entry.\n\n");
}

void kernel_main(void)
{
	console_init();
	processes_init(double_fault);

	print("fork-inherits-%d: a child maps what its parent maps, no more\n\n", (int)sizeof(word) * 8);
	make_process(&p, "P", master);
	make_process(&q, "Q", master);
	tell_driver();
	tell_handler();
	tell_copy_of_master();
	if (surprises == 0)
		print("As predicted: of 6 that faulted, 2 met a double fault, Q and its first child.\n");
	exit_run(surprises != 0);
}
