/* main.c: a probe at the return of a user's function.

   There is no instruction to probe: a function may return from many. So the
   entry is probed, and there the return address on the user's stack is
   replaced. The user's stack is memory that may be absent or read-only. */
#include "kprobe.h"
#include "layout.h"

extern const char program[], program_end[], returned[], sum[], sum_next[], argument[];
extern char get_user_load[], put_user_store[], user_fixup[];
int get_user(word address, word *value);
int put_user(word address, word value);

enum { INSTANCES = 2, CHAINS = 4 };

/* A call that has not returned yet. */
struct instance {
	word at;             /* the address of its return address: where on the stack */
	word return_address; /* what was there */
	struct instance *next;
};

/* What befalls the page of the user's stack, and when. */
enum trouble { NONE, ABSENT_AT_2, ABSENT_AT_3, READ_ONLY_AT_3 };

static entry *table;
static word code_page, stack_page; /* physical memory of the user's pages */
static struct instance pool[INSTANCES];
static struct instance *free_instances, *hashed[CHAINS];
static struct instance *instance; /* that the pre-handler is at work on */

static enum trouble trouble;
static int forgetful; /* the fault handler does not give the instance back */
static int reserved, given_back, missed;         /* since the beginning */
static int returns, refused, page_ins, finished; /* in this run */

static word place(const char *label)
{
	return USER_BASE + (word)(label - program);
}

/* ---- instances ---- */

static struct instance *reserve(void)
{
	struct instance *i = free_instances;

	if (i) {
		free_instances = i->next;
		reserved++;
	}
	return i;
}

static void give_back(struct instance *i)
{
	i->next = free_instances;
	free_instances = i;
	given_back++;
}

static struct instance **chain(word at)
{
	return &hashed[at / sizeof(word) % CHAINS];
}

static struct instance *take_hashed(word at)
{
	for (struct instance **link = chain(at); *link; link = &(*link)->next) {
		struct instance *i = *link;
		if (i->at == at) {
			*link = i->next;
			return i;
		}
	}
	return 0;
}

/* ---- the probe ---- */

/* befall changes the page of the user's stack, as another CPU could any time. */
static void befall(enum trouble when)
{
	if (trouble != when)
		return;
	unmap(table, USER_STACK);
	if (when == READ_ONLY_AT_3)
		map(table, USER_STACK, stack_page, USER);
	print("       (the page of the stack becomes %s)\n", when == READ_ONLY_AT_3 ? "read-only" : "absent");
}

static void pre_handler(struct kprobe *p, struct trap *t)
{
	(void)p;
	print("       1 reserve an instance");
	instance = reserve();
	if (!instance) {
		missed++;
		print(": there is none. This return is missed\n");
		return;
	}
	instance->at = t->sp;
	print("\n");

	befall(ABSENT_AT_2);
	print("       2 save the return address at " ADDR "\n", t->sp);
	if (get_user(t->sp, &instance->return_address)) {
		refused++;
		return;
	}
	befall(ABSENT_AT_3);
	befall(READ_ONLY_AT_3);
	print("       3 replace " ADDR " with the trampoline, " ADDR "\n", instance->return_address, TRAMPOLINE);
	if (put_user(t->sp, TRAMPOLINE)) {
		refused++;
		return;
	}
	print("       4 hash the instance\n");
	instance->next = *chain(t->sp);
	*chain(t->sp) = instance;
}

static int fault_handler(struct kprobe *p, struct trap *t)
{
	(void)p;
	if (t->ip != (word)get_user_load && t->ip != (word)put_user_store)
		return 0;
	t->ip = (word)user_fixup;
	if (!forgetful)
		give_back(instance);
	print("       fault handler: the instance is %s; on at the fixup\n", forgetful ? "forgotten" : "given back");
	return 1;
}

/* trampoline_hit sends a function that has returned to the trampoline where it
   should have gone. RET has taken the address off the stack. */
static void trampoline_hit(struct trap *t)
{
	struct instance *i = take_hashed(t->sp - sizeof(word));

	if (!i) {
		print("SURPRISE: a return that nobody waits for\n");
		exit_run(1);
	}
	returns++;
	t->ip = i->return_address;
	give_back(i);
	print("  #BP  the trampoline: the function has returned %lu; on to " ADDR "\n", t->ax, t->ip);
}

/* ---- the exceptions ---- */

static void breakpoint(struct trap *t)
{
	if (t->ip - 1 == TRAMPOLINE) {
		trampoline_hit(t);
		return;
	}
	print("  #BP  the function's entry\n");
	if (!kprobe_hit(t)) {
		print("SURPRISE: nobody's breakpoint\n");
		exit_run(1);
	}
}

static void debug(struct trap *t)
{
	if (!kprobe_stepped(t)) {
		print("SURPRISE: nobody's step\n");
		exit_run(1);
	}
	print("  #DB  its displaced instruction is stepped\n");
}

static void page_fault(struct trap *t)
{
	struct kprobe *p = kprobe_control.current;

	print("  #PF  CR2 " ADDR ", error code %lu: %s by %s, page %s\n", read_cr2(), t->error,
	      t->error & 2 ? "a write" : "a read", t->error & 4 ? "the program" : "the kernel",
	      t->error & 1 ? "read-only" : "absent");
	if (p && p->fault(p, t))
		return;
	expect("the page fault's address", read_cr2() & ~(PAGE - 1), USER_STACK);
	map(table, USER_STACK, stack_page, WRITE | USER);
	page_ins++;
	print("       the page is brought in\n");
}

static void system_call(struct trap *t)
{
	const word n = *(const unsigned *)(code_page + (word)(argument - program));

	print("  INT 0x80: the program has gone on where it should, with %lu\n", t->ax);
	expect("the result", t->ax, n * (n + 1) / 2);
	expect("where the program has returned to", t->ip, place(returned) + 2);
	expect("the program's stack pointer", t->sp, USER_STACK_TOP);
	finished = 1;
	leave_user();
}

/* ---- the story ---- */

/* run_program calls sum(n) once, and checks what the run made of it. */
static void run_program(unsigned n, enum trouble what, int want_returns, int want_page_ins)
{
	returns = refused = page_ins = finished = 0;
	trouble = what;
	*(unsigned *)(code_page + (word)(argument - program)) = n;
	unmap(table, USER_STACK);
	map(table, USER_STACK, stack_page, WRITE | USER);
	run_user(USER_BASE);
	expect("whether the program finished", finished, 1);
	expect("the number of returns seen", returns, want_returns);
	expect("the number of steps refused", refused, what != NONE);
	expect("the number of pages brought in", page_ins, want_page_ins);
}

static void tell_counts(int want_reserved, int want_given_back, int want_missed)
{
	print("   Instances: reserved %d, given back %d. Returns missed: %d.\n\n", reserved, given_back, missed);
	expect("instances reserved", reserved, want_reserved);
	expect("instances given back", given_back, want_given_back);
	expect("returns missed", missed, want_missed);
}

static void tell(void)
{
	print("1. Nothing is in the way\n");
	run_program(0, NONE, 1, 0);
	tell_counts(1, 1, 0);

	print("2. The page with the return address is absent at step 2\n"
	      "The program's own RET will bring it in, when the kernel may sleep.\n");
	run_program(0, ABSENT_AT_2, 0, 1);
	tell_counts(2, 2, 0);

	print("3. It is absent at step 3\n");
	run_program(0, ABSENT_AT_3, 0, 1);
	tell_counts(3, 3, 0);

	print("4. It is read-only at step 3\n"
	      "CR0.WP makes it so for the kernel too. RET only reads: nobody notices.\n");
	run_program(0, READ_ONLY_AT_3, 0, 0);
	tell_counts(4, 4, 0);

	print("5. The function calls itself twice, and there are %d instances\n"
	      "The innermost call finds none and returns by itself; the others are told apart by\n"
	      "the place of their return address.\n", INSTANCES);
	run_program(2, NONE, 2, 0);
	tell_counts(6, 6, 1);

	print("6. Chapter 2 with a fault handler that forgets, as often as there are instances\n");
	forgetful = 1;
	for (int i = 0; i < INSTANCES; i++)
		run_program(0, ABSENT_AT_2, 0, 1);
	print("And once more with nothing in the way:\n");
	run_program(0, NONE, 0, 0);
	tell_counts(8, 6, 2);
}

void kernel_main(void)
{
	static struct kprobe probe = { .slot = SLOT, .pre = pre_handler, .fault = fault_handler };

	console_init();
	segments_init();
	set_user_gate(VECTOR_BP, trap_entry(VECTOR_BP));
	set_kernel_stack(KERNEL_STACK_TOP);
	table = identity_table();
	code_page = (word)alloc_page();
	stack_page = (word)alloc_page();
	map(table, USER_BASE, code_page, USER);
	paging_on(table);
	on_trap(VECTOR_DB, debug);
	on_trap(VECTOR_BP, breakpoint);
	on_trap(VECTOR_PF, page_fault);
	on_trap(VECTOR_SYSCALL, system_call);

	copy((void *)code_page, program, program_end - program);
	*(uint8_t *)(code_page + (TRAMPOLINE - USER_BASE)) = INT3;
	for (int i = 0; i < INSTANCES; i++) {
		pool[i].next = free_instances;
		free_instances = &pool[i];
	}
	probe.address = place(sum);
	probe.length = sum_next - sum;
	probe.alias = code_page - USER_BASE;
	register_kprobe(&probe);

	print("uretprobe-%d: a probe at the return of a user's function\n\n", (int)sizeof(word) * 8);
	tell();
	if (surprises == 0)
		print("As predicted: with a fault handler that gives back what was reserved, nothing is lost;\n"
		      "the program has always returned where it should.\n");
	exit_run(surprises != 0);
}
