/* main.c: is the page-fault handler of a module in every page table, by
   accident?

   It is if the top-level entries above the handler and its data were there when
   the processes got their copy of them. Without a command line the kernel tells
   a few cases; with one it tries the case that is described there, and ends with
   exit code 4 if there was a double fault. x86emu experiment by-accident tries
   thousands. */
#include "trial.h"

/* What the command line does not say. */
static const struct trial usual = {
	.area = IN_64(MODULES, VMALLOC), .place = ROW, .boot_pages = 16, .pages = 16, .handler = ANY_PAGE,
	.data = BEHIND, .processes = 4, .seed = 1,
};

struct chapter {
	const char *title, *options;
	unsigned deaths;
};

#ifdef __x86_64__
static const struct chapter chapters[] = {
	{ "The area of modules, anywhere in it. Nothing was loaded at boot.", "area=modules boot=0 place=anywhere data=apart", 0 },
	{ "The area of vmalloc. Nothing was mapped at boot.", "area=vmalloc boot=0", 4 },
	{ "One module was.", "area=vmalloc boot=1", 0 },
	{ "58 modules, and the handler in the next 4 MiB: the same entry.", "area=vmalloc boot=58 pages=64 handler=63 data=none", 0 },
	{ "4 modules and the last, each anywhere.", "area=vmalloc boot=4 place=anywhere", 4 },
	{ "The same; but boot made all PML4 entries of the area.", "area=vmalloc boot=4 place=anywhere tables=advance", 0 },
	{ "Nothing at boot; later a driver, which half of the processes use.", "area=vmalloc boot=0 late=1 use=50", 2 },
};
#else
static const struct chapter chapters[] = {
	{ "Nothing was loaded at boot.", "boot=0", 4 },
	{ "One module was.", "boot=1", 0 },
	{ "58 modules, and the handler in the next 4 MiB.", "boot=58 pages=64 handler=63 data=none", 4 },
	{ "The same, the handler on the module's first page.", "boot=58 pages=64 handler=0 data=none", 0 },
	{ "The same, but it counts in data behind the code.", "boot=58 pages=64 handler=0 data=behind", 4 },
	{ "4 modules and the last, each anywhere.", "boot=4 place=anywhere", 4 },
	{ "The same; but boot made all PDEs of the area.", "boot=4 place=anywhere tables=advance", 0 },
	{ "Nothing at boot; later a driver, which half of the processes use.", "boot=0 late=1 use=50", 2 },
};
#endif

static void tell(const struct trial *t, const struct outcome *o)
{
	print("  handler " ADDR ", %s %d", o->handler, TOP_ENTRY, (int)top_index(o->handler));
	if (o->data)
		print("; its data " ADDR ", %s %d", o->data, TOP_ENTRY, (int)top_index(o->data));
	print("\n  lacking in %d of %d tables; double fault in %d of %d processes\n",
	      (int)o->lacking, (int)t->processes, (int)o->deaths, (int)t->processes);
}

static void tell_area(const char *name, unsigned area)
{
	const struct trial t = { .area = area };

	print("  %s: " ADDR " to " ADDR ", %s %d to %d\n", name, area_start(&t), area_end(&t) - 1,
	      TOP_ENTRY, (int)top_index(area_start(&t)), (int)top_index(area_end(&t) - 1));
}

/* The pages of all chapters must fit lib's pool together: nothing is freed. */
static void story(void)
{
	print("by-accident-%d: is a module's page-fault handler in every table, by accident?\n\n",
	      (int)sizeof(word) * 8);
	print("Four processes have a copy of the master's top-level entries, each of which covers\n"
	      "%s. Then a module with a page-fault handler is mapped, in the master only. What\n"
	      "hangs under an entry that was there before, all have at once. The places are Linux's:\n",
	      IN_64("512 GiB", "4 MiB"));
	if (IN_64(1, 0))
		tell_area("modules", MODULES);
	tell_area("vmalloc", VMALLOC);
	print("The kernel's image is at " ADDR ", %s %d.\n", IMAGE, TOP_ENTRY, (int)top_index(IMAGE));
	for (unsigned i = 0; i < sizeof chapters / sizeof *chapters; i++) {
		const struct chapter *c = &chapters[i];
		struct trial t = usual;
		struct outcome o;

		print("\n%d. %s (%s)\n", (int)i + 1, c->title, c->options);
		read_options(c->options, &t);
		o = run_trial(&t);
		tell(&t, &o);
		expect("double faults of a chapter", o.deaths, c->deaths);
	}
	if (surprises == 0)
		print("\nAs predicted, each time, from the entries that a process's table had.\n");
	exit_run(surprises != 0);
}

/* What multiboot passes. Flag 2: there is a command line. */
struct information {
	uint32_t flags, memory[2], device, command_line;
};

/* command_line is empty also if it lies where this kernel maps nothing. */
static const char *command_line(const struct information *loader)
{
	if ((word)loader >= KERNEL_END || !(loader->flags & 4) || loader->command_line >= KERNEL_END)
		return "";
	return (const char *)(word)loader->command_line;
}

/* begin is kernel_main; entry.S gives it what the loader passed. */
void begin(const struct information *loader)
{
	const char *words = command_line(loader);
	struct trial t = usual;
	struct outcome o;

	console_init();
	while (*words && *words != ' ') /* the kernel's own name */
		words++;
	while (*words == ' ')
		words++;
	if (!*words)
		story();
	read_options(words, &t);
	o = run_trial(&t);
	tell(&t, &o);
	exit_run(surprises ? 1 : o.deaths ? 4 : 0);
}
