/* options.c: a trial from the command line. */
#include "trial.h"

struct option {
	const char *name;
	unsigned short field;
	unsigned least, most;
	const char *words; /* values that have a name, from 0 on, a blank behind each */
};

#define FIELD(f) offsetof(struct trial, f)

static const struct option options[] = {
	{ "area", FIELD(area), IN_64(MODULES, VMALLOC), VMALLOC, "modules vmalloc " },
	{ "place", FIELD(place), ROW, ANYWHERE, "row shifted anywhere " },
	{ "boot", FIELD(boot), 0, MAX_BOOT, 0 },
	{ "bootpages", FIELD(boot_pages), 1, MAX_PAGES, 0 },
	{ "late", FIELD(late), 0, MAX_LATE, 0 },
	{ "use", FIELD(use), 0, 100, 0 },
	{ "pages", FIELD(pages), 1, MAX_PAGES, 0 },
	{ "handler", FIELD(handler), 0, MAX_PAGES - 1, 0 },
	{ "data", FIELD(data), NONE, APART, "none behind apart " },
	{ "tables", FIELD(tables), COPIED, ADVANCE, "copied advance " },
	{ "processes", FIELD(processes), 1, MAX_PROCESSES, 0 },
	{ "seed", FIELD(seed), 0, 0xffffffff, 0 },
};

/* same tells whether a word, up to its end, is this text. */
static int same(const char *word, const char *end, const char *text, char stop)
{
	while (word < end && *word == *text)
		word++, text++;
	return word == end && *text == stop;
}

static int number(const char *p, const char *end, unsigned *value)
{
	uint64_t n = 0;

	if (p == end)
		return 0;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9' || n > 0xffffffff)
			return 0;
		n = n * 10 + (*p - '0');
	}
	*value = n;
	return n <= 0xffffffff;
}

/* named finds a value by its name. */
static int named(const char *p, const char *end, const char *words, unsigned *value)
{
	for (*value = 0; *words; ++*value) {
		if (same(p, end, words, ' '))
			return 1;
		while (*words++ != ' ')
			;
	}
	return 0;
}

static int read_option(const char *p, const char *equals, const char *end, struct trial *t)
{
	for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
		const struct option *o = &options[i];
		unsigned value;

		if (!same(p, equals, o->name, 0))
			continue;
		if (o->words ? !named(equals + 1, end, o->words, &value) : !number(equals + 1, end, &value))
			return 0;
		*(unsigned *)((char *)t + o->field) = value;
		return value >= o->least && value <= o->most;
	}
	return 0;
}

void read_options(const char *words, struct trial *t)
{
	for (const char *p = words, *end; *p; p = end) {
		const char *equals = 0;

		for (end = p; *end && *end != ' '; end++)
			if (*end == '=' && !equals)
				equals = end;
		if (end > p && (!equals || !read_option(p, equals, end, t))) {
			print("by-accident: what is ");
			while (p < end)
				print("%c", *p++);
			print("?\n");
			exit_run(2);
		}
		while (*end == ' ')
			end++;
	}
	if (t->handler != ANY_PAGE && t->handler >= t->pages) {
		print("by-accident: a module of %d pages has no page %d\n", (int)t->pages, (int)t->handler);
		exit_run(2);
	}
}
