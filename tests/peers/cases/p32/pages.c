/* pages.c: what each bit of a PDE and PTE allows, the error code of what it
   does not, and the accessed and dirty bits after. One line for each pair of
   entries; a word for each access: vector and code or "ok", then A and D of
   the PDE (in capitals) and PTE. [SDM 3A, Paging: Access Rights; Page-Fault
   Exceptions; Accessed and Dirty Flags] */
#include "cases.h"

#define TABLE 0x204000
#define AT    0x40000000
#define PDES  ((uint32_t *)0x200000)
#define PTES  ((uint32_t *)TABLE)

enum { load, store, fetch, modify, accesses };
static const char access_names[] = "rwxm";

static void access_code(int access, uint32_t at)
{
	switch (access) {
	case load: op(1, 0xa1), op32(at); break;
	case store: op(1, 0xa3), op32(at); break;
	case fetch: op(1, 0xb8), op32(at), op(2, 0xff, 0xe0); break;
	case modify: op(2, 0x80, 0x05), op32(at), op(1, 1); break;
	}
}

static void word_for(uint32_t high, uint32_t low)
{
	if (record.vector == UD)
		print("ok");
	else
		print("%lx:%lx", (word)record.vector, (word)(has_code() ? *frame() : 0));
	if (record.vector == PF && record.cr2 != AT)
		print("@%lx", (word)record.cr2);
	print("%s%s%s%s", high & 0x20 ? "A" : "", high & 0x40 ? "D" : "", low & 0x20 ? "a" : "", low & 0x40 ? "d" : "");
}

static void begin_access(int access, int level, uint32_t pde, uint32_t pte_bits)
{
	begin();
	if (level)
		user();
	PTES[1] = 0;
	*(uint16_t *)DATA = 0x0b0f;
	PDES[AT >> 22] = pde;
	PTES[0] = pte_bits;
	access_code(access, AT);
}

static void small_pages(void)
{
	for (int pde = 0; pde < 8; pde++)
		for (int low = 0; low < 8; low++) {
			print("page pde %d pte %d:", pde, low);
			for (int wp = 0; wp < 2; wp++)
				for (int level = 0; level <= 3; level += 3)
					for (int access = load; access < accesses; access++) {
						begin_access(access, level, TABLE | pde, DATA | low);
						start.cr0 = 0x80000011 | wp << 16;
						run_quiet();
						print(" %c%d%s", access_names[access], level, wp ? "w " : " ");
						word_for(PDES[AT >> 22], PTES[0]);
					}
			print("\n");
		}
}

/* 4 MiB pages, and PS without CR4.PSE. Bit 21 is reserved. */
static void large_pages(void)
{
	static const uint32_t kinds[] = { 0x80, 0x200080, 0x1080 };

	for (int pse = 0; pse < 2; pse++)
		for (unsigned kind = 0; kind < (pse ? 3 : 1); kind++)
			for (int bits = 0; bits < 8; bits++) {
				print("page pse %d pde %lx:", pse, (word)(kinds[kind] | bits));
				for (int level = 0; level <= 3; level += 3)
					for (int access = load; access < accesses; access++) {
						begin_access(access, level, (pse ? kinds[kind] : TABLE | 0x80) | bits, DATA | 7);
						start.cr4 = pse << 4;
						start.cr0 |= 0x10000;
						/* Large: DATA lies at 0x310000 of it. */
						if (pse)
							*(uint16_t *)0 = 0x0b0f;
						run_quiet();
						print(" %c%d ", access_names[access], level);
						word_for(PDES[AT >> 22], PTES[0]);
					}
				print("\n");
			}
}

/* SMEP and SMAP, with AC set and clear. */
static void supervisor_modes(void)
{
	for (int cr4 = 0; cr4 < 4; cr4++)
		for (int ac = 0; ac < 2; ac++)
			for (int bits = 1; bits < 8; bits += 2) {
				print("page smep %d smap %d ac %d pte %d:", cr4 & 1, cr4 >> 1, ac, bits);
				for (int level = 0; level <= 3; level += 3)
					for (int access = load; access < accesses; access++) {
						begin_access(access, level, TABLE | 7, DATA | bits);
						start.cr4 = cr4 << 20;
						start.eflags |= ac << 18;
						run_quiet();
						print(" %c%d ", access_names[access], level);
						word_for(PDES[AT >> 22], PTES[0]);
					}
				print("\n");
			}
}

/* Two pages: the second one decides, and nothing is half-written. */
static void crossings(void)
{
	static const struct { const char *name; int first, second; } pages[] = {
		{ "both", 7, 7 }, { "second absent", 7, 0 }, { "first absent", 0, 7 }, { "neither", 0, 0 },
		{ "second read-only", 7, 5 }, { "first read-only", 5, 7 }, { "second supervisor", 7, 3 }, { "first supervisor", 3, 7 },
		{ "first read-only, second absent", 5, 0 },
	};
	for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++)
		for (int level = 0; level <= 3; level += 3)
			for (int access = load; access < accesses; access++) {
				begin();
				if (level)
					user();
				for (int e = 0; e < 2; e++)
					PTES[e] = (DATA + e * PAGE) | (e ? pages[i].second : pages[i].first);
				PDES[AT >> 22] = TABLE | 7;
				start.cr0 |= 0x10000;
				/* To be fetched: an instruction of four bytes, two on each page. */
				*(uint32_t *)(DATA + 0xffe) = access == fetch ? 0x9090b866 : 0x11111111;
				*(uint32_t *)(DATA + 0x1002) = 0x0b0f;
				if (access == modify)
					op(2, 0x81, 0x05), op32(AT + 0xffe), op32(0x01010101);
				else
					access_code(access, AT + 0xffe);
				watch("pte0", PTES), watch("pte1", PTES + 1);
				watch("memory", (void *)(DATA + 0xffe));
				run("page crossing %s, %c cpl%d", pages[i].name, access_names[access], level);
			}
}

/* What the processor itself accesses: tables on pages of every kind. */
static void tables(void)
{
	static const struct { const char *name; uint32_t page; int bits; } places[] = {
		{ "idt absent", IDT, 0 }, { "idt user", IDT, 7 }, { "idt read-only", IDT, 1 },
		{ "ldt absent", LDT, 0 }, { "ldt read-only", LDT, 1 }, { "ldt user", LDT, 7 }, { "ldt fine", LDT, 3 },
	};
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
		for (int wp = 0; wp < 2; wp++)
			for (int smap = 0; smap < 3; smap++) {
				begin();
				start.cr0 = 0x80000011 | wp << 16;
				start.cr4 = smap ? 1 << 21 : 0;
				start.eflags |= smap == 2 ? 1 << 18 : 0;
				if (places[i].page == IDT && !(places[i].bits & 1))
					continue; /* nothing could report it */
				if (places[i].page == IDT && smap && places[i].bits & 4)
					continue;
				*gdt_entry(LDT_X) = segment(0, 0xfffff, 0x92, 12);
				*pte(places[i].page) = places[i].page | places[i].bits;
				op(4, 0x66, 0xb8, LDT_X, 0), op(2, 0x8e, 0xd8);
				watch("pte", pte(places[i].page));
				run("page table of %s, wp %d, smap %d, ac %d", places[i].name, wp, smap > 0, smap == 2);
			}
}

void pages(void)
{
	small_pages();
	large_pages();
	supervisor_modes();
	crossings();
	tables();
}
