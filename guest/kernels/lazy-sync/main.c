/* main.c: page tables that are brought up to date when somebody comes upon the
   difference.

   A driver is mapped in the master only, after three processes have got their
   page tables. The first time that a process is in need of it, the page-fault
   handler compares the process's table with the master and copies the entry
   that is missing: a PDE in 32 bits, a PML4 entry in 64. */
#include "process.h"

static struct process a, b, c;

#define SECOND_PAGE (DRIVER_BASE + PAGE)

static void drive(void)
{
	print("  the driver counts call %d\n", call_driver());
}

static void read_second_page(void)
{
	print("  it reads %d\n", *(volatile int *)SECOND_PAGE);
}

/* enter lets a process do something in the kernel and tells the faults. */
static int enter(struct process *p, const char *what, void (*work)(void))
{
	int before = faults;

	print("Process %s %s.\n", p->name, what);
	in_kernel(p, work);
	return faults - before;
}

static void tell_first_touch(void)
{
	static struct process *all[] = { &a, &b, &c };
	int first[3], second[3];

	print("2. Each process calls it twice\n");
	for (int i = 0; i < 3; i++) {
		first[i] = enter(all[i], "calls the driver", drive);
		second[i] = enter(all[i], "calls it again", drive);
	}
	print("\n  page faults     A  B  C\n  first touch   %3d%3d%3d\n  second touch  %3d%3d%3d\n\n",
	      first[0], first[1], first[2], second[0], second[1], second[2]);
	for (int i = 0; i < 3; i++) {
		expect("the faults of a first touch", first[i], 1);
		expect("the faults of a second touch", second[i], 0);
		expect("the table that the entry leads to", all[i]->table[top_index(DRIVER_BASE)] / PAGE,
		       master[top_index(DRIVER_BASE)] / PAGE);
	}
}

static void tell_shared_below(void)
{
	int *page = alloc_page();

	print("3. More of the driver is mapped, beside what is there\n");
	*page = 1234;
	map(master, SECOND_PAGE, (word)page, WRITE);
	print("The page at " ADDR " gets its entry in a table that hangs under %s %d.\n"
	      "Whoever has that entry has the new page too, at once.\n",
	      SECOND_PAGE, TOP_ENTRY, top_index(SECOND_PAGE));
	expect("the faults under a shared entry", enter(&a, "reads the new page", read_second_page), 0);
	print("  page faults: 0. One fault brings %s, not 4 KiB.\n\n", IN_64("512 GiB", "4 MiB"));
}

static void tell_late_process(void)
{
	static struct process d;

	print("4. A process made now\n");
	make_process(&d, "D", master);
	print("It starts with a copy of the master as it is today.\n");
	expect("the faults of a later process", enter(&d, "calls the driver", drive), 0);
	print("  page faults: 0.\n\n");
}

static void double_fault(void)
{
	print("SURPRISE: a double fault.\n");
	exit_run(1);
}

void kernel_main(void)
{
	console_init();
	processes_init(double_fault);

	print("lazy-sync-%d: page tables brought up to date by the page faults of those who need it\n\n",
	      (int)sizeof(word) * 8);
	print("1. A driver is loaded, in the master only\n");
	make_process(&a, "A", master);
	make_process(&b, "B", master);
	make_process(&c, "C", master);
	print("Processes A, B and C have a copy of the master's entries.\n");
	load_driver();
	print("Then a driver is mapped at " ADDR ": a new %s %d of the master.\n\n",
	      DRIVER_BASE, TOP_ENTRY, top_index(DRIVER_BASE));
	for (struct process *const *p = (struct process *const[]){ &a, &b, &c, 0 }; *p; p++)
		expect("an entry before the first touch", (*p)->table[top_index(DRIVER_BASE)], 0);
	tell_first_touch();
	tell_shared_below();
	tell_late_process();
	expect("all the faults", faults, 3);
	expect("all the copies", copied, 3);
	if (surprises == 0)
		print("As predicted: 3 page faults, one for each process that was there before the driver.\n");
	exit_run(surprises != 0);
}
