/* main.c: what a multiboot 2 loader tells a kernel: how the kernel is entered, and the
   information, a list of tags. The tags come in any order; here they are told by type.
   What depends on the machine (addresses, the loader's name, how much memory) is
   checked, and told without its value. */
#include "lib.h"

#define MAGIC 0x36D76289u

enum tag_type {
	END = 0, COMMAND_LINE = 1, LOADER_NAME = 2, MODULE = 3, MEMORY = 4, MEMORY_MAP = 6, SCREEN = 8,
	SECTIONS = 9, OLD_ACPI = 14, LOAD_BASE = 21,
};

/* A tag: its type, its size without the padding to the next one, and what it holds. */
struct tag {
	uint32_t type, size;
	union {
		char text[1];
		struct { uint32_t from, to; char text[1]; } module;
		struct { uint32_t below, above; } memory; /* KiB */
		struct {
			uint32_t entry_size, version;
			struct { uint64_t from, bytes; uint32_t type, zero; } entries[1];
		} map;
		struct { uint64_t at; uint32_t pitch, width, height; uint8_t bits, kind; } screen;
		struct { uint32_t count, size, names; char headers[1]; } sections;
		uint8_t bytes[1];
		uint32_t base;
	};
};

/* A section header of ELF32. */
struct section {
	uint32_t name, type, flags, address, offset, size, link, info, align, entry_size;
};

extern char header[], image_end[]; /* of this kernel: head.S, link.ld */

static const char *information;
static uint32_t information_size;

/* next_tag gives the tag behind one, or the first one for 0. */
static const struct tag *next_tag(const struct tag *t)
{
	const char *p = t ? (const char *)t + ((t->size + 7) & ~7u) : information + 8;

	return (const struct tag *)p;
}

/* find gives the nth tag of a type, or 0. */
static const struct tag *find(enum tag_type type, int n)
{
	for (const struct tag *t = next_tag(0); t->type != END; t = next_tag(t))
		if (t->type == type && n-- == 0)
			return t;
	return 0;
}

static void tell_texts(void)
{
	const struct tag *t = find(COMMAND_LINE, 0);

	print("  1, command line: \"%s\"\n", t->text);
	t = find(LOADER_NAME, 0);
	expect("the name's first byte", t->text[0] != 0, 1);
	print("  2, the loader's name\n");
	for (int i = 0; (t = find(MODULE, i)); i++) {
		expect("the module's place within its page", t->module.from % PAGE, 0);
		expect("the module's place behind this kernel", t->module.from >= (word)image_end, 1);
		print("  3, module \"%s\": %lu bytes, the first one '%c'\n", t->module.text,
		      (word)(t->module.to - t->module.from), *(char *)t->module.from);
	}
}

/* type_at looks an address up in the memory map: 1 is RAM, 0 nothing. */
static uint32_t type_at(const struct tag *t, word address)
{
	unsigned count = (t->size - 16) / t->map.entry_size;

	for (unsigned i = 0; i < count; i++)
		if (address >= t->map.entries[i].from && address - t->map.entries[i].from < t->map.entries[i].bytes)
			return t->map.entries[i].type;
	return 0;
}

static void tell_memory(void)
{
	const struct tag *t = find(MEMORY, 0);

	expect("at least 512 KiB below 640 KiB", t->memory.below >= 512 && t->memory.below <= 640, 1);
	expect("at least 32 MiB above 1 MiB", t->memory.above >= 32 << 10, 1);
	print("  4, how much memory there is below 640 KiB, and from 1 MiB on\n");

	t = find(MEMORY_MAP, 0);
	print("  6, memory map: %lu bytes an entry, version %lu\n", (word)t->map.entry_size, (word)t->map.version);
	expect("address 0x1000", type_at(t, 0x1000), 1);
	expect("this kernel", type_at(t, (word)header), 1);
	expect("its last byte", type_at(t, (word)image_end - 1), 1);
	expect("the text screen is no RAM", type_at(t, 0xB8000) == 1, 0);
	expect("nor is the last page below 4 GiB", type_at(t, 0xFFFFF000) == 1, 0);
	print("     this kernel lies in RAM, the text screen does not\n");
}

static void tell_screen(void)
{
	const struct tag *t = find(SCREEN, 0);

	print("  8, screen at 0x%lx: kind %lu, %lu columns, %lu lines, %lu bytes a line\n", (word)t->screen.at,
	      (word)t->screen.kind, (word)t->screen.width, (word)t->screen.height, (word)t->screen.pitch);
}

/* The names of the sections are a section of their own, which no segment loads: the
   loader has put it somewhere, and its header says where. */
static void tell_sections(void)
{
	const struct tag *t = find(SECTIONS, 0);
	const struct section *all = (const struct section *)t->sections.headers;
	const char *names = (const char *)all[t->sections.names].address;

	expect("where the names have been put is RAM", type_at(find(MEMORY_MAP, 0), (word)names), 1);
	print("  9, sections of the ELF file:");
	for (unsigned i = 0; i < t->sections.count; i++)
		print("%s%s", names + all[i].name, i + 1 < t->sections.count ? " " : "\n");
}

static void tell_rest(void)
{
	const struct tag *t = find(OLD_ACPI, 0);
	uint8_t sum = 0;

	if (t) {
		for (int i = 0; i < 20; i++)
			sum += t->bytes[i];
		expect("the sum of ACPI's root pointer", sum, 0);
		print("  14, a copy of ACPI's root pointer\n");
	}
	t = find(LOAD_BASE, 0);
	expect("where this kernel was loaded", t->base, (word)header);
	print("  21, loaded at 0x%lx, the only place that its header allows\n", (word)t->base);
	t = next_tag(0);
	while (t->type != END)
		t = next_tag(t);
	expect("the end tag's size", t->size, 8);
	expect("the end", (word)next_tag(t), (word)information + information_size);
	print("  0, the end, where the size says\n");
}

static void tell_entry(uint32_t magic, word info)
{
	word cr0, flags;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("pushf; pop %0" : "=r"(flags));
	print("  EAX 0x%lx: a multiboot 2 loader was here\n", (word)magic);
	expect("EBX, to a multiple of 8", info % 8, 0);
	expect("CR0.PE and CR0.PG", cr0 & 0x80000001, 1);
	expect("EFLAGS.IF and EFLAGS.VM", flags & 0x20200, 0);
	print("  EBX leads to the information; protected mode, no paging, interrupts off\n");
}

void kernel_main(uint32_t magic, const uint32_t *info)
{
	console_init();
	print("multiboot2-info-32: what a multiboot 2 loader tells a kernel\n\n1. How it is entered\n");
	expect("EAX", magic, MAGIC);
	if (magic != MAGIC)
		exit_run(1);
	tell_entry(magic, (word)info);

	information = (const char *)info;
	information_size = info[0];
	expect("the reserved word", info[1], 0);
	print("\n2. The information, by the types of its tags\n");
	tell_texts();
	tell_memory();
	tell_screen();
	tell_sections();
	tell_rest();
	exit_run(surprises != 0);
}
