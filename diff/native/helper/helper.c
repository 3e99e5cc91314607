/* Runs cases on the processor, at CPL 3, and tells what a signal frame shows of
 * them. x86emu starts it with the shared memory as descriptor 3; it ends when
 * all questions are answered, or when the memory has no room for another
 * answer. Its exit status is 0 then, else the step of the preparation that the
 * kernel refused (STEP_...).
 *
 * It lies far above 4 GiB, where 32-bit code cannot reach it. Of system calls it
 * leaves itself rt_sigreturn and exit_group, each from one place. */

#include "wire.h"

#define SHARED ((struct header *)0x6b0000000000UL)

/* System calls. */
enum {
	SYS_mmap = 9, SYS_rt_sigaction = 13, SYS_setitimer = 38,
	SYS_sigaltstack = 131, SYS_modify_ldt = 154, SYS_prctl = 157, SYS_setaffinity = 203,
};

/* What may be refused, by exit status; steps_linux_amd64.go has the words. */
enum {
	STEP_SHARE = 1, STEP_CODE, STEP_DATA, STEP_LDT, STEP_STACK, STEP_SIGNAL, STEP_TIMER, STEP_PRIVILEGES, STEP_FILTER,
};

/* Signals. */
enum { SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGSEGV = 11, SIGPROF = 27, SIGSYS = 31 };

/* The signal frame of Linux on x86-64. */
struct context {
	u64 flags, link, stack[3];
	u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
	u16 cs, gs, fs, ss;
	u64 error, vector, mask, cr2, fpstate;
};

#define STRICT_RESTORE_SS 4

#pragma GCC visibility push(hidden)

void on_entry(void), restorer(void), sigreturned(void), left(void);
void leave(int status) __attribute__((noreturn));

static u8 signal_stack[64 << 10] __attribute__((aligned(64)));
static u64 start[PAGES * PAGE / 8]; /* the pages as the case at hand found them */
static u32 ticks;		    /* of the timer, since it began */
static int running;
static struct question *question;
static struct answer *answer;
static u64 floats[FLOAT / 8] __attribute__((aligned(64))); /* what the kernel loads into the units */

static long call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "+a"(number)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return number;
}

static void must(int step, long result)
{
	if (result < 0)
		leave(step);
}

static u64 *page(u32 i)
{
	return (u64 *)(i < CODE_PAGES ? CODE_BASE + i * PAGE : DATA_BASE + (i - CODE_PAGES) * PAGE);
}

/* Where a byte of the pages can be written; nowhere behind them. */
static u8 *byte(u32 at)
{
	if (at / PAGE >= PAGES)
		return 0;
	return at / PAGE == PAGES - 1 ? (u8 *)SHARED + READ_ONLY_AT + at % PAGE : (u8 *)page(at / PAGE) + at % PAGE;
}

static void save(struct regs *r, const struct context *c)
{
	u64 *g = r->gpr;

	g[0] = c->rax, g[1] = c->rcx, g[2] = c->rdx, g[3] = c->rbx;
	g[4] = c->rsp, g[5] = c->rbp, g[6] = c->rsi, g[7] = c->rdi;
	g[8] = c->r8, g[9] = c->r9, g[10] = c->r10, g[11] = c->r11;
	g[12] = c->r12, g[13] = c->r13, g[14] = c->r14, g[15] = c->r15;
	r->rip = c->rip;
	r->flags = c->eflags;
	r->seg[1] = c->cs;
	r->seg[2] = c->ss;
	__asm__ volatile("mov %%es, %0" : "=m"(r->seg[0]));
	__asm__ volatile("mov %%ds, %0" : "=m"(r->seg[3]));
	__asm__ volatile("mov %%fs, %0" : "=m"(r->seg[4]));
	__asm__ volatile("mov %%gs, %0" : "=m"(r->seg[5]));
	__asm__ volatile("rdfsbase %0" : "=r"(r->fsbase));
	__asm__ volatile("rdgsbase %0" : "=r"(r->gsbase));
}

static void load(struct context *c, const struct regs *r)
{
	const u64 *g = r->gpr;

	c->rax = g[0], c->rcx = g[1], c->rdx = g[2], c->rbx = g[3];
	c->rsp = g[4], c->rbp = g[5], c->rsi = g[6], c->rdi = g[7];
	c->r8 = g[8], c->r9 = g[9], c->r10 = g[10], c->r11 = g[11];
	c->r12 = g[12], c->r13 = g[13], c->r14 = g[14], c->r15 = g[15];
	c->rip = r->rip;
	c->eflags = r->flags;
	c->cs = r->seg[1];
	c->ss = r->seg[2];
	c->flags |= STRICT_RESTORE_SS;
	c->fpstate = 0; /* the kernel makes it initial */
	if (question->floats) {
		u64 *from = (u64 *)(question + 1);

		for (u32 i = 0; i < FLOAT / 8; i++)
			floats[i] = from[i];
		c->fpstate = (u64)floats;
	}
	__asm__ volatile("mov %0, %%es" ::"m"(r->seg[0]));
	__asm__ volatile("mov %0, %%ds" ::"m"(r->seg[3]));
	__asm__ volatile("mov %0, %%fs" ::"m"(r->seg[4]));
	__asm__ volatile("mov %0, %%gs" ::"m"(r->seg[5]));
	if (r->bases || !(r->seg[4] & ~3))
		__asm__ volatile("wrfsbase %0" ::"r"(r->fsbase));
	if (r->bases || !(r->seg[5] & ~3))
		__asm__ volatile("wrgsbase %0" ::"r"(r->gsbase));
}

/* Patches bytes, or takes them back. */
static void patch(int back)
{
	u8 *p = (u8 *)(question + 1) + question->floats, *end = p + question->patched;

	while (p < end) {
		struct patch *t = (struct patch *)p;

		for (u32 i = 0; i < t->len; i++) {
			u32 at = t->at + i;
			u8 *live = byte(at);

			if (live)
				*live = ((u8 *)start)[at] = back ? SHARED->pages[at] : t->bytes[i];
		}
		p += sizeof *t + (t->len + 7 & ~7U);
	}
}

/* Reports the words that the case changed, and restores them. */
static void compare(void)
{
	struct word *w = (struct word *)((u8 *)(answer + 1) + answer->floats), *first = w;

	for (u32 p = 0; p < PAGES - 1; p++) {
		u64 *live = page(p), *was = start + p * (PAGE / 8);

		for (u32 i = 0; i < PAGE / 8; i++) {
			if (live[i] == was[i])
				continue;
			*w++ = (struct word){p * PAGE + i * 8, live[i]};
			live[i] = was[i];
		}
	}
	answer->words = w - first;
	answer = (struct answer *)w;
}

void on_signal(int signal, void *info, struct context *c)
{
	if (signal == SIGPROF && (!running || ++ticks < SHARED->ticks)) {
		c->flags |= STRICT_RESTORE_SS;
		return;
	}
	if (running) {
		save(&answer->regs, c);
		answer->vector = signal == SIGSYS ? IN_KERNEL : signal == SIGPROF ? TOO_LONG : c->vector;
		answer->error = c->error;
		answer->cr2 = c->cr2;
		answer->floats = c->fpstate ? question->floats : 0;
		for (u32 i = 0; i < answer->floats / 8; i++)
			((u64 *)(answer + 1))[i] = ((u64 *)c->fpstate)[i];
		compare();
		patch(1);
		question = (struct question *)((u8 *)(question + 1) + question->floats + question->patched);
		SHARED->done++;
	}
	running = 1;
	if (SHARED->done == SHARED->count ||
	    (u64)((u8 *)(answer + 1) - (u8 *)SHARED) + PAGES * PAGE * 2 > SHARED->end)
		leave(0);
	ticks = 0;
	patch(0);
	load(c, &question->regs);
}

/* Lets two system calls pass, each from its own place; any other one is SIGSYS.
 * A filter is a program: load a word of the description of the call (its number
 * at 0, the architecture at 4, the address behind it at 8), compare, jump over so
 * many steps where it is equal and where it is not. */
static void filter(void)
{
	enum { LOAD = 0x20, EQUAL = 0x15, RETURN = 6 };
	u64 back = (u64)sigreturned, out = (u64)left;
	struct {
		u16 code;
		u8 yes, no;
		u32 k;
	} program[] = {
		/* 0 */ {LOAD, 0, 0, 4},
		/* 1 */ {EQUAL, 0, 9, 0xc000003e}, /* x86-64 */
		/* 2 */ {LOAD, 0, 0, 12},
		/* 3 */ {EQUAL, 0, 7, back >> 32},
		/* 4 */ {LOAD, 0, 0, 0},
		/* 5 */ {EQUAL, 0, 2, 15}, /* rt_sigreturn */
		/* 6 */ {LOAD, 0, 0, 8},
		/* 7 */ {EQUAL, 4, 3, (u32)back},
		/* 8 */ {EQUAL, 0, 2, 231}, /* exit_group */
		/* 9 */ {LOAD, 0, 0, 8},
		/* 10 */ {EQUAL, 1, 0, (u32)out},
		/* 11 */ {RETURN, 0, 0, 0x00030000}, /* trap: SIGSYS */
		/* 12 */ {RETURN, 0, 0, 0x7fff0000}, /* allow */
	};
	struct {
		u64 len;
		void *program;
	} f = {sizeof program / sizeof *program, program};

	must(STEP_PRIVILEGES, call(SYS_prctl, 38, 1, 0, 0, 0, 0)); /* PR_SET_NO_NEW_PRIVS */
	must(STEP_FILTER, call(SYS_prctl, 22, 2, (long)&f, 0, 0, 0)); /* PR_SET_SECCOMP, SECCOMP_MODE_FILTER */
}

static void map(int step, u64 at, u64 size, int rights, int how, int fd, u64 offset)
{
	if ((u64)call(SYS_mmap, at, size, rights, how, fd, offset) != at)
		leave(step);
}

void helper(void)
{
	enum { READ = 1, WRITE = 2, EXEC = 4, MAP_SHARED = 1, PRIVATE = 2, FIXED = 0x10, NOWHERE = 0x20, POPULATE = 0x8000 };
	static const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGPROF, SIGSYS};
	static const u64 timer[] = {0, 10000, 0, 10000}; /* 10 ms of processor time, again and again */
	struct header *s = SHARED;
	u64 first = 1; /* the processor whose number is 0 */
	struct {
		void *stack;
		u64 flags, size;
	} alt = {signal_stack, 0, sizeof signal_stack};
	struct {
		void *handler;
		u64 flags;
		void *restorer;
		u64 mask;
	} act = {on_entry, 0x04000000 | 0x08000000 | 4, restorer, ~0UL}; /* SA_RESTORER, SA_ONSTACK, SA_SIGINFO */

	/* The header tells the size of all. */
	map(STEP_SHARE, (u64)s, PAGE, READ, MAP_SHARED | FIXED, 3, 0);
	map(STEP_SHARE, (u64)s, s->end, READ | WRITE, MAP_SHARED | FIXED, 3, 0);
	map(STEP_CODE, CODE_BASE, CODE_PAGES * PAGE, READ | WRITE | EXEC, PRIVATE | FIXED | NOWHERE, -1, 0);
	map(STEP_DATA, DATA_BASE, (DATA_PAGES - 1) * PAGE, READ | WRITE, PRIVATE | FIXED | NOWHERE, -1, 0);
	map(STEP_DATA, DATA_BASE + (DATA_PAGES - 1) * PAGE, PAGE, READ, MAP_SHARED | FIXED | POPULATE, 3, READ_ONLY_AT);
	for (u32 i = 0; i < PAGES * PAGE; i++)
		*byte(i) = ((u8 *)start)[i] = s->pages[i];
	for (u32 i = 0; i < s->segments; i++)
		must(STEP_LDT, call(SYS_modify_ldt, 0x11, (long)&s->segment[i], sizeof *s->segment, 0, 0, 0));
	question = (struct question *)((u8 *)s + s->ask);
	answer = (struct answer *)((u8 *)s + s->reply);

	call(SYS_setaffinity, 0, sizeof first, (long)&first, 0, 0, 0);
	must(STEP_STACK, call(SYS_sigaltstack, (long)&alt, 0, 0, 0, 0, 0));
	for (u32 i = 0; i < sizeof signals / sizeof *signals; i++)
		must(STEP_SIGNAL, call(SYS_rt_sigaction, signals[i], (long)&act, 0, 8, 0, 0));
	must(STEP_TIMER, call(SYS_setitimer, 2, (long)timer, 0, 0, 0, 0)); /* ITIMER_PROF */
	filter();
	s->ready = 1;
	__asm__ volatile("int3");
	leave(0);
}
