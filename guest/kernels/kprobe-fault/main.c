/* main.c: a page fault while a probe is at work.

   The pre-handler reserves an instance, then reads a word of a user's memory,
   and the page is not there. Six ways on from that fault, one in each chapter.
   While a probe is at work the kernel is atomic: it may not sleep, so it may
   not wait for a page. */
#include "kprobe.h"
#include "layout.h"

#define REFUSED 0xFFFFFFFFul

extern const char functions[], seven_probe[], seven_next[], load[], load_probe[], load_next[], functions_end[];
extern char read_word_load[], get_word_load[], get_word_fixup[];
word read_word(word address);
word get_word(word address);

struct place {
	word ip, sp, registers[6];
};
int save_place(struct place *p) __attribute__((returns_twice));
void go_to_place(struct place *p) __attribute__((noreturn));

static entry *master;
static word user_page;    /* physical memory of the user's page */
static word wanted;       /* the address that the pre-handler reads */
static int reserved;      /* instances now */
static int page_faults, pages, posts; /* in this chapter */
static struct place task; /* where the kernel goes on when it has killed a task */
static struct place before_pre_handler;
static struct kprobe probe;

/* ---- the page-fault handler and those it asks ---- */

/* kill is what a kernel does about a fault that it can do nothing about. */
static void __attribute__((noreturn)) kill(const char *why)
{
	print("       oops: %s. The task is killed\n", why);
	go_to_place(&task);
}

/* The table of exceptions: loads that may fault, and where to go then. */
static int fixup_exceptions(struct trap *t)
{
	if (t->ip != (word)get_word_load)
		return 0;
	t->ip = (word)get_word_fixup;
	print("       the load is in the table of exceptions: on at its fixup\n");
	return 1;
}

/* kprobe_fault is the first that is told. It returns whether the fault has been
   taken care of. */
static int kprobe_fault(struct trap *t)
{
	struct kprobe *p = kprobe_control.current;

	if (!p)
		return 0;
	if (kprobe_control.status == KPROBE_HIT_SS) {
		kprobe_step_back(t);
		print("       back to the probe, TF out; no probe is at work any more\n");
		return 0;
	}
	if (p->fault && p->fault(p, t))
		return 1;
	return fixup_exceptions(t);
}

static void might_sleep(void)
{
	if (kprobe_control.current)
		kill("a wait for the page, while atomic");
}

static void page_fault(struct trap *t)
{
	const word address = read_cr2();
	const int stepped = kprobe_control.status == KPROBE_HIT_SS;

	print("  #PF  CR2 " ADDR ", in the %s\n", address, stepped ? "slot" : "pre-handler");
	page_faults++;
	expect("the error code", t->error, 0);
	if (stepped)
		expect("the instruction", t->ip, SLOT);
	if (page_faults == 4)
		kill("the same fault four times");
	if (kprobe_fault(t))
		return;
	if (address != PROMISED)
		kill("nobody's memory");
	might_sleep();
	map(master, PROMISED, user_page, WRITE | USER);
	pages++;
	print("       the page is brought in\n");
}

static void breakpoint(struct trap *t)
{
	print("  #BP  the probe at " ADDR " is hit\n", t->ip - 1);
	if (!kprobe_hit(t))
		kill("a breakpoint, and a probe is at work already");
}

static void debug(struct trap *t)
{
	if (!kprobe_stepped(t))
		kill("nobody's step");
	print("  #DB  the displaced instruction is stepped, and the probe done\n");
}

/* ---- handlers of the probe ---- */

static void free_instance(void)
{
	print("       fault handler: %s\n", reserved ? "frees the instance" : "has nothing to free");
	reserved = 0;
}

static void pre_handler(struct kprobe *p, struct trap *t)
{
	(void)p, (void)t;
	reserved++;
	print("       pre-handler: reads " ADDR "\n", wanted);
	print("       pre-handler: got %lu\n", read_word(wanted));
}

static void pre_handler_with_fixup(struct kprobe *p, struct trap *t)
{
	(void)p, (void)t;
	reserved++;
	print("       pre-handler: reads " ADDR "\n", wanted);
	if (get_word(wanted) == REFUSED) {
		reserved--;
		print("       pre-handler: refused; frees the instance\n");
	}
}

/* The setjmp that the message proposes, around the pre-handler. */
static void pre_handler_with_return(struct kprobe *p, struct trap *t)
{
	if (save_place(&before_pre_handler) == 0)
		pre_handler(p, t);
	else
		print("       back before the pre-handler, which is not called again\n");
}

static void post_handler(struct kprobe *p, struct trap *t)
{
	(void)p, (void)t;
	posts++;
}

static int frees_and_says_done(struct kprobe *p, struct trap *t)
{
	(void)p, (void)t;
	free_instance();
	return 1;
}

static int frees_and_says_no_more(struct kprobe *p, struct trap *t)
{
	(void)p, (void)t;
	free_instance();
	return 0;
}

/* The longjmp, from below the frame of the #PF to above it. */
static int frees_and_jumps(struct kprobe *p, struct trap *t)
{
	const word here = (word)__builtin_frame_address(0), there = before_pre_handler.sp;

	(void)p;
	free_instance();
	print("       longjmp. The frames that it abandons, the latest first:\n"
	      "         C: the fault handler, kprobe_fault, page_fault, trap_dispatch\n"
	      "         #PF: %d saved registers, the vector, and what the CPU pushed: error\n"
	      "              code %lu, %s in read_word, CS 0x%lx, TF %d\n"
	      "         C: read_word, pre_handler\n"
	      "       The next, #BP's, stays: its IRET is to come, the #PF's never will. The CPU\n"
	      "       does not wait for it: it keeps no record of exceptions in progress, NMI apart.\n",
	      IN_64(15, 8), t->error, IN_64("RIP", "EIP"), t->cs, (t->flags & FLAG_TF) != 0);
	expect("the order of the frames", here < (word)t && (word)t < there, 1);
	expect("what #PF saved", t->ip, (word)read_word_load);
	go_to_place(&before_pre_handler);
}

/* ---- the story ---- */

struct chapter {
	const char *title, *moral;
	int loads; /* the displaced instruction is the one that reads */
	int again; /* a second task calls the function after the first */
	word wanted;
	void (*pre)(struct kprobe *p, struct trap *t);
	int (*fault)(struct kprobe *p, struct trap *t);
	/* What must come out: */
	int survives, page_faults, pages, reserved;
};

static const struct chapter chapters[] = {
	{ "no one takes it; then another task comes to the probe",
	  "An instance is lost, and the probe is at work for ever: it kills whoever comes by.",
	  .again = 1, .wanted = NOWHERE, .pre = pre_handler, .page_faults = 1, .reserved = 1 },
	{ "the probe's fault handler frees the instance and says that it took the fault",
	  "Nothing has changed, so the read is repeated, and faults. It would go on for ever.",
	  .wanted = PROMISED, .pre = pre_handler, .fault = frees_and_says_done, .page_faults = 4 },
	{ "it frees the instance and leaves the fault to the kernel",
	  "The kernel would bring the page in; that might sleep, and is caught. Had it been let\n"
	  "through, the pre-handler would have gone on with an instance that was free again.",
	  .wanted = PROMISED, .pre = pre_handler, .fault = frees_and_says_no_more, .page_faults = 1 },
	{ "the read has a fixup",
	  "The pre-handler learns of it and gives back what it had. The program goes on.",
	  .wanted = PROMISED, .pre = pre_handler_with_fixup, .survives = 1, .page_faults = 1 },
	{ "setjmp before the pre-handler, longjmp from the fault handler",
	  "The program goes on here too. What the abandoned functions would have done on their\n"
	  "way out is not done: the fault handler had to know that there was an instance to free.",
	  .wanted = PROMISED, .pre = pre_handler_with_return, .fault = frees_and_jumps, .survives = 1, .page_faults = 1 },
	{ "the displaced instruction faults while it is stepped",
	  "The fault is the program's own. With the probe out of the way the kernel may sleep.",
	  .loads = 1, .wanted = PROMISED, .survives = 1, .page_faults = 1, .pages = 1 },
};

static word place(const char *label)
{
	return PROBED + (word)(label - functions);
}

static void call_function(const struct chapter *c)
{
	word result = ((word(*)(word))place(c->loads ? load : functions))(wanted);

	print("       the function returns %lu\n", result);
	expect("the function's result", result, 7);
}

static void tell(int number, const struct chapter *c)
{
	static volatile int survived; /* in memory, since kill comes back by a jump */

	print("%d. A page fault in the %s:\n   %s\n", number, c->loads ? "slot" : "pre-handler", c->title);
	unmap(master, PROMISED);
	wanted = c->wanted;
	page_faults = pages = posts = reserved = survived = 0;
	probe = (struct kprobe){
		.address = place(c->loads ? load_probe : seven_probe),
		.length = c->loads ? load_next - load_probe : seven_next - seven_probe,
		.slot = SLOT,
		.pre = c->pre,
		.post = post_handler,
		.fault = c->fault,
	};
	register_kprobe(&probe);
	if (c->again && save_place(&task) == 0)
		call_function(c);
	if (save_place(&task) == 0) {
		call_function(c);
		survived = 1;
	}
	unregister_kprobe(&probe);
	print("   Page faults %d, pages brought in %d, instances lost %d, probe %s.\n%s\n\n", page_faults, pages, reserved,
	      kprobe_control.current ? "still at work" : "idle", c->moral);
	expect("whether the task survived", survived, c->survives);
	expect("the number of page faults", page_faults, c->page_faults);
	expect("the number of pages", pages, c->pages);
	expect("the number of instances", reserved, c->reserved);
	expect("the number of post-handlers", posts, c->survives);
	expect("whether the probe is idle", !kprobe_control.current, c->survives);
	kprobe_drop();
}

void kernel_main(void)
{
	console_init();
	segments_init();
	master = identity_table();
	paging_on(master);
	on_trap(VECTOR_DB, debug);
	on_trap(VECTOR_BP, breakpoint);
	on_trap(VECTOR_PF, page_fault);
	copy((void *)PROBED, functions, functions_end - functions);
	user_page = (word)alloc_page();
	*(word *)user_page = 7;

	print("kprobe-fault-%d: a page fault while a probe is at work\n\n", (int)sizeof(word) * 8);
	print("A pre-handler reserves an instance and reads a word of a user's page at\n" ADDR
	      ", which is not in memory. From the hit to the end of the step the\n"
	      "kernel is atomic: it may not sleep, so it may not wait for a page.\n\n", PROMISED);
	for (unsigned i = 0; i < sizeof chapters / sizeof *chapters; i++)
		tell(i + 1, &chapters[i]);
	if (surprises == 0)
		print("As predicted: the fixup and the jump leave nothing behind, and so does the step.\n");
	exit_run(surprises != 0);
}
