/* main.c: an instruction is probed.

   lib/kprobe.c sets the probes and steps over them. This kernel probes one
   instruction of each kind that a copy elsewhere does not simply repeat, tells
   what had to be put right, and calls each function with the probe and without:
   it must not notice. Then it steps an instruction that faults. */
#include "kprobe.h"
#include "layout.h"

#define IP IN_64("RIP", "EIP")

struct example {
	const char *instruction;
	const char *start, *probe, *next; /* labels in functions.S */
	word argument, result;
	unsigned displacement; /* see struct kprobe */
};

#define LABELS(name) extern const char name[], name##_probe[], name##_next[]
LABELS(add);
LABELS(load_relative);
LABELS(call);
LABELS(jump);
LABELS(push_flags);
LABELS(load);
extern const char functions[], functions_end[];

#define CODE(name) name, name##_probe, name##_next

static const struct example examples[] = {
	{ "add $-3, %eax; the next instruction adds its carry", CODE(add), .result = 13 },
	{ IN_64("mov variable(%rip), %eax", "mov variable, %eax"), CODE(load_relative), .result = 1234,
	  .displacement = IN_64(2, 0) },
	{ "call callee", CODE(call), .result = 42 },
	{ "jz, taken", CODE(jump), .argument = 0, .result = 1 },
	{ "jz, not taken", CODE(jump), .argument = 1, .result = 2 },
	{ "pushf; the function returns what it pushed", CODE(push_flags), .result = 0x47 },
};
static const struct example load_example = { "a load", CODE(load), .argument = PROMISED, .result = 42 };

static entry *master;
static word promised_page;
static struct kprobe probe;
static int hits, posts, strays;
static int as_in_the_message; /* how to put the flags back after a fault */

static word place(const char *label)
{
	return PROBED + (word)(label - functions);
}

static int trap_flag(word flags)
{
	return (flags & FLAG_TF) != 0;
}

/* ---- the exceptions ---- */

static void pre_handler(struct kprobe *p, struct trap *t)
{
	hits++;
	print("  #BP  the probe at " ADDR " is hit, TF %d: pre-handler\n", p->address, trap_flag(t->flags));
}

static void post_handler(struct kprobe *p, struct trap *t)
{
	(void)p, (void)t;
	posts++;
}

static void breakpoint(struct trap *t)
{
	if (!kprobe_hit(t)) {
		print("SURPRISE: #BP at " ADDR "\n", t->ip);
		exit_run(1);
	}
}

static void debug(struct trap *t)
{
	const word ip = t->ip, *stack = (const word *)trap_stack(t), pushed = *stack;

	if (kprobe_stepped(t)) {
		print("  #DB  one step in the slot at " ADDR " is done\n"
		      "       %s, " ADDR ", becomes " ADDR "\n", probe.slot, IP, ip, t->ip);
		if (*stack != pushed)
			print("       what was pushed, " ADDR ", becomes " ADDR "\n", pushed, *stack);
		print("       post-handler; TF becomes %d\n", trap_flag(t->flags));
		return;
	}
	strays++;
	if (ip >= PROBED && ip < PROBED + PAGE) {
		print("  #DB  %s " ADDR ": nobody asked for this step\n", IP, ip);
		return;
	}
	print("  #DB  behind the function: nor for this one; the kernel takes TF out\n");
	t->flags &= ~FLAG_TF;
}

static void page_fault(struct trap *t)
{
	if (kprobe_control.status == KPROBE_HIT_SS) {
		print("  #PF  CR2 " ADDR ", in the slot at " ADDR ", TF %d\n"
		      "       %s goes back to the probe; flags %s\n",
		      read_cr2(), t->ip, trap_flag(t->flags), IP,
		      as_in_the_message ? "|= old flags" : "= (flags & ~TF) | old flags");
		expect("the fault's instruction", t->ip, probe.slot);
		if (as_in_the_message) {
			t->ip = kprobe_control.current->address;
			t->flags |= kprobe_control.old_flags;
			kprobe_drop();
		} else {
			kprobe_step_back(t);
		}
	}
	expect("the page fault's address", read_cr2(), PROMISED);
	map(master, PROMISED, promised_page, WRITE);
	print("       the page is brought in; TF %d\n", trap_flag(t->flags));
}

/* ---- the story ---- */

static void set_probe(const struct example *e, word slot)
{
	probe = (struct kprobe){
		.address = place(e->probe),
		.length = e->next - e->probe,
		.displacement = e->displacement,
		.slot = slot,
		.pre = pre_handler,
		.post = post_handler,
	};
	register_kprobe(&probe);
}

static word call_function(const struct example *e)
{
	return ((word(*)(word))place(e->start))(e->argument);
}

static void print_bytes(word address)
{
	const uint8_t *b = (const uint8_t *)address;

	print("%02x %02x %02x", b[0], b[1], b[2]);
}

static void tell_patch(void)
{
	const word at = place(examples[0].probe);

	print("1. A probe is one byte\nThe bytes at " ADDR ", add $-3, %%eax: ", at);
	print_bytes(at);
	set_probe(&examples[0], SLOTS);
	print("\nWith a probe: ");
	print_bytes(at);
	print(". cc is INT3. In the slot, " ADDR ": ", SLOTS);
	print_bytes(SLOTS);
	unregister_kprobe(&probe);
	print("\nWithout it again: ");
	print_bytes(at);
	print("\n\n");
}

static void tell_steps(void)
{
	print("2. Hit, stepped elsewhere, put right\n"
	      "#BP calls the pre-handler and returns to the slot with TF set: after one instruction\n"
	      "there comes #DB, which puts right what this one did because it ran in the slot.\n");
	for (unsigned i = 0; i < sizeof examples / sizeof *examples; i++) {
		const struct example *e = &examples[i];
		const word alone = call_function(e);
		word probed;

		print("%s\n", e->instruction);
		set_probe(e, SLOTS + 16 * i);
		if (e->displacement)
			print("       its displacement, 0x%08x, is 0x%08x in the slot\n",
			      *(unsigned *)(probe.address + e->displacement),
			      *(unsigned *)(probe.slot + e->displacement));
		probed = call_function(e);
		unregister_kprobe(&probe);
		print("       result %lu, without the probe %lu\n", probed, alone);
		expect("the result without the probe", alone, e->result);
		expect("the result with the probe", probed, e->result);
		expect("the number of hits", hits, i + 1);
		expect("the number of post-handlers", posts, i + 1);
	}
	expect("the number of stray steps", strays, 0);
	print("\n");
}

/* step_a_fault calls the function that reads the promised page, which is not
   there, with a probe at the read. */
static void step_a_fault(int stray_steps)
{
	word result;

	hits = posts = strays = 0;
	unmap(master, PROMISED);
	set_probe(&load_example, SLOTS);
	result = call_function(&load_example);
	unregister_kprobe(&probe);
	print("       result %lu; steps that nobody asked for: %d\n\n", result, strays);
	expect("the result", result, load_example.result);
	expect("the number of hits", hits, 2);
	expect("the number of post-handlers", posts, 1);
	expect("the number of stray steps", strays, stray_steps);
}

static void tell_fault(void)
{
	print("3. The displaced instruction faults: flags |= old flags\n"
	      "A fault saves the flags as they are: TF was set for the step. The program is put back\n"
	      "at the probe, the page is brought in, the probe is hit again. OR takes no TF out: the\n"
	      "second hit finds it, takes it for the program's own, and gives it back at the end.\n");
	as_in_the_message = 1;
	step_a_fault(3);

	print("4. The same: TF out first, then the old flags\n");
	as_in_the_message = 0;
	step_a_fault(0);
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
	promised_page = (word)alloc_page();
	*(word *)promised_page = 40;

	print("kprobe-%d: an instruction is displaced by a probe, and stepped elsewhere\n\n", (int)sizeof(word) * 8);
	tell_patch();
	tell_steps();
	tell_fault();
	if (surprises == 0)
		print("As predicted: six steps that no function noticed; three stray steps with the one\n"
		      "way of restoring flags and none with the other.\n");
	exit_run(surprises != 0);
}
