/* trial.c: modules at boot, processes, then the module that takes over the
   page-fault vector. Which page tables have it is a matter of the top-level
   entries that were there when the processes got their copy. */
#include "trial.h"

/* The areas are Linux's: memory of vmalloc, where a 32-bit kernel has its
   modules too, and in 64 bits the modules, near the kernel's image. */
#ifdef __x86_64__
static const struct { word start, pages; } areas[] = {
	{ 0xffffffffa0000000ul, 0x5f000 },     /* MODULES: 1520 MiB */
	{ 0xffffc90000000000ul, 0x200000000 }, /* VMALLOC: 32 TiB */
};
#else
static const struct { word start, pages; } areas[] = {
	{ 0, 0 },
	{ 0xf8000000ul, 30 * 1024 }, /* VMALLOC: 120 MiB */
};
#endif

word area_start(const struct trial *t)
{
	return areas[t->area].start;
}

word area_end(const struct trial *t)
{
	return areas[t->area].start + areas[t->area].pages * PAGE;
}

/* ---- chance: SplitMix64 ---- */

static uint64_t state;

static word below(word n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return (word)(z >> IN_64(0, 32)) % n;
}

/* ---- places ---- */

static struct {
	word start, end;
} taken[MAX_BOOT + MAX_LATE + 2];
static unsigned takers;
static word next; /* page of the area, one behind the other */

static int is_free(word start, word pages)
{
	for (unsigned i = 0; i < takers; i++)
		if (start < taken[i].end && taken[i].start < start + pages)
			return 0;
	return 1;
}

/* find_place is an address for some pages. As Linux's vmalloc does, it leaves
   a page free behind each. */
static word find_place(const struct trial *t, word pages)
{
	word start = next, most = areas[t->area].pages - pages - 1;

	if (t->place == ANYWHERE)
		do
			start = below(most + 1);
		while (!is_free(start, pages + 1));
	if (start > most) {
		print("by-accident: the area is full\n");
		exit_run(2);
	}
	taken[takers].start = start;
	taken[takers++].end = next = start + pages + 1;
	return area_start(t) + start * PAGE;
}

/* ---- modules ---- */

static char *filler; /* the frame of all pages of which nothing is wanted */

static word load_pages(const struct trial *t, word pages)
{
	word address = find_place(t, pages);

	for (word i = 0; i < pages; i++)
		map(master, address + i * PAGE, (word)filler, WRITE);
	return address;
}

/* own gives one page of a module a frame of its own. */
static char *own(word address)
{
	char *page = alloc_page();

	map(master, address, (word)page, WRITE);
	return page;
}

static volatile int *count; /* the module's, where the kernel sees it */

static void load_handler(const struct trial *t, struct outcome *o)
{
	word base = load_pages(t, t->pages + (t->data == BEHIND));
	unsigned at = t->handler == ANY_PAGE ? below(t->pages) : t->handler;
	char *code, *page;
	word data;

	o->handler = base + at * PAGE;
	o->data = t->data == BEHIND ? base + t->pages * PAGE : t->data == APART ? load_pages(t, 1) : 0;
	code = own(o->handler);
	page = o->data ? own(o->data) : code + PAGE / 2;
	data = o->data ? o->data : o->handler + PAGE / 2;

	copy(code, handler, handler_end - handler);
	*(word *)(code + (handler_data - handler)) = data;
	((word *)page)[1] = trap_entry(VECTOR_PF);
	count = (int *)page;
}

/* ---- processes ---- */

static struct process processes[MAX_PROCESSES];
static volatile unsigned deaths;
static word driver_page;

static void touch_driver(void)
{
	(void)*(volatile char *)driver_page;
}

/* A kernel would panic. This one ends the process, to see about the next. */
static void double_fault(void)
{
	deaths++;
	leave_double_fault();
}

static int has(const struct process *p, word address)
{
	return p->table[top_index(address)] & PRESENT;
}

static void make_processes(const struct trial *t)
{
	for (unsigned i = 0; i < t->processes; i++)
		make_process(&processes[i], "", master);
	for (unsigned d = 0; d < t->late; d++) {
		driver_page = load_pages(t, 1);
		for (unsigned i = 0; i < t->processes; i++)
			if (below(100) < t->use)
				in_kernel(&processes[i], touch_driver);
	}
}

struct outcome run_trial(const struct trial *t)
{
	struct outcome o = { 0 };

	state = t->seed;
	takers = deaths = 0;
	next = t->place == SHIFTED ? 1 + below(1024) : 0;
	processes_init(double_fault);
	filler = alloc_page();

	/* The kernel's own image, where Linux has it; then what boot brings. */
	for (word a = 0; a < 16 * PAGE; a += PAGE)
		map(master, IMAGE + a, 0x100000 + a, WRITE);
	if (t->tables == ADVANCE)
		for (unsigned i = top_index(area_start(t)); i <= top_index(area_end(t) - 1); i++)
			if (!(master[i] & PRESENT))
				master[i] = (word)alloc_page() | PRESENT | WRITE | USER;
	for (unsigned i = 0; i < t->boot; i++)
		load_pages(t, t->boot_pages);

	make_processes(t);
	load_handler(t, &o);
	set_gate(VECTOR_PF, o.handler);
	for (unsigned i = 0; i < t->processes; i++) {
		struct process *p = &processes[i];
		int lacks = !has(p, o.handler) || (o.data && !has(p, o.data));
		int before = deaths, counted = *count;

		o.lacking += lacks;
		write_heap(p);
		expect("double faults of a process", deaths - before, lacks);
		expect("the module's count", *count - counted, !lacks);
	}
	o.deaths = deaths;
	return o;
}
