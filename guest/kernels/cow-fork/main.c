/* main.c: copy on write. Fork gives the child the parent's frames, not copies
   of them, and makes them read-only for both. Whoever writes first is faulted,
   gets a copy, and writes to that. */
#include "layout.h"
#include "lib.h"

#define DATA USER_HEAP
#define FRAME(e) ((e) & ~(PAGE - 1))

struct process {
	const char *name;
	entry *table;
};

static entry *master;
static struct process *current;
static uint8_t owners[KERNEL_END / PAGE]; /* of each frame */
static int faults, copies;

/* page_fault takes a write to a page that is present but not writable. */
static void page_fault(struct trap *t)
{
	word address = read_cr2();
	entry *e = entry_of(current->table, address);
	uint8_t *shared = &owners[FRAME(*e) / PAGE];

	faults++;
	print("  #PF at " ADDR ", error code %lu: %s writes to a page %s.", address, t->error,
	      t->error & 4 ? current->name : "The kernel", *shared > 1 ? "of two owners" : "that is its own by now");
	expect("the page's presence, and the write", t->error & 3, 3);
	if (*shared > 1) {
		void *page = alloc_page();

		copy(page, (void *)FRAME(*e), PAGE);
		--*shared;
		owners[(word)page / PAGE] = 1;
		*e = (word)page | PRESENT | USER;
		copies++;
		print(" Copied.\n");
	} else {
		print(" No copy needed.\n");
	}
	*e |= WRITE;
	flush(address); /* the TLB has the entry as it was */
}

static void system_call(struct trap *t)
{
	(void)t;
	leave_user();
}

/* fork shares the one page of data, for reading. The parent's right to write
   must leave the TLB too: run and look load CR3, which empties it. */
static void fork(struct process *parent, struct process *child)
{
	entry *e = entry_of(parent->table, DATA);

	child->table = alloc_page();
	for (unsigned i = 0; i < ENTRIES; i++)
		child->table[i] = master[i];
	*entry_of(child->table, USER_BASE) = *entry_of(parent->table, USER_BASE);
	*e &= ~WRITE;
	*entry_of(child->table, DATA) = *e;
	owners[FRAME(*e) / PAGE]++;
}

/* The program adds 1 to the number at DATA and leaves. */
extern const char add_1[], add_1_end[];
__asm__("add_1:\n\t"
#ifdef __x86_64__
	"movabs $0x400000001000, %rbx\n\t"
	"incl (%rbx)\n\t"
#else
	"incl 0x40001000\n\t"
#endif
	"int $0x80\n"
	"add_1_end:");

static void run(struct process *p, word predicted_faults, word predicted_copies)
{
	int faults_before = faults, copies_before = copies;

	print("%s adds 1.\n", p->name);
	current = p;
	write_cr3((word)p->table);
	run_user(USER_BASE);
	expect("the number of faults", faults - faults_before, predicted_faults);
	expect("the number of copies", copies - copies_before, predicted_copies);
}

static void look(struct process *p, int predicted)
{
	write_cr3((word)p->table);
	print("  %s reads %d.\n", p->name, *(volatile int *)DATA);
	expect("what it reads", *(volatile int *)DATA, predicted);
}

void kernel_main(void)
{
	static struct process parent = { .name = "Parent" }, child = { .name = "Child" };
	static struct process second = { .name = "Child 2" };
	void *code = alloc_page(), *data = alloc_page();

	console_init();
	segments_init();
	set_kernel_stack(STACK_TOP);
	on_trap(VECTOR_PF, page_fault);
	on_trap(VECTOR_SYSCALL, system_call);
	master = identity_table();
	parent.table = identity_table();
	copy(code, add_1, add_1_end - add_1);
	map(parent.table, USER_BASE, (word)code, USER);
	map(parent.table, DATA, (word)data, USER | WRITE);
	owners[(word)data / PAGE] = 1;
	*(int *)data = 40;
	paging_on(parent.table);

	print("cow-fork-%d: fork copies a page when somebody writes to it\n\n", (int)sizeof(word) * 8);
	print("1. Before\nParent has 40 at " ADDR ".\n", DATA);
	run(&parent, 0, 0);
	look(&parent, 41);

	print("\n2. Fork: one frame, two owners, both may only read\n");
	fork(&parent, &child);
	look(&child, 41);
	run(&child, 1, 1);
	look(&child, 42);
	look(&parent, 41);
	run(&parent, 1, 0);
	run(&parent, 0, 0);
	look(&parent, 43);
	look(&child, 42);

	print("\n3. The kernel writes on Parent's behalf, as read() would\n");
	fork(&parent, &second);
	current = &parent;
	write_cr3((word)parent.table);
	*(volatile int *)DATA = 7; /* CR0.WP makes this a fault at CPL 0 too */
	look(&parent, 7);
	look(&second, 43);
	print("Page faults: %d. Copies: %d.\n", faults, copies);
	expect("the faults", faults, 3);
	expect("the copies", copies, 2);
	exit_run(surprises != 0);
}
