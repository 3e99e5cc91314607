/* pages.c: four levels: what each bit of each level allows, NX, reserved bits,
   large pages, SMEP and SMAP. One line for each set of entries; a word for
   each access: vector and code or "ok", then which levels are accessed
   (4 to 1) and whether the page is dirty. [SDM 3A, Paging] */
#include "cases.h"

#define NX (1ul << 63)

enum { load, store, fetch, modify, accesses };

static uint64_t *const entries[] = { (uint64_t *)PML4 + 1, (uint64_t *)PDPT1, (uint64_t *)PD1, (uint64_t *)PT1 };
static const char *const names[] = { "pml4e", "pdpte", "pde", "pte" };

static void access_code(int access)
{
	switch (access) {
	case load: op(3, 0x41, 0x8b, 0x00); break;
	case store: op(3, 0x41, 0x89, 0x00); break;
	case fetch: op(3, 0x41, 0xff, 0xe0); break;
	case modify: op(4, 0x41, 0x80, 0x00, 0x01); break;
	}
}

static void words(int changed, uint64_t value, int changed2, uint64_t value2, word nxe, word cr4, word cr0, word flags)
{
	for (int which = kernel; which <= user64; which++)
		for (int access = load; access < accesses; access++) {
			begin();
			level(which);
			start.r8 = AT;
			efer = nxe ? 0xd00 : 0x500;
			start.cr4 |= cr4;
			start.cr0 = cr0;
			start.flags |= flags;
			*(uint16_t *)DATA = 0x0b0f;
			*entries[changed] = value;
			if (changed2)
				*entries[changed2] = value2;
			access_code(access);
			run_quiet();
			print(" %c%d ", "rwxm"[access], which ? 3 : 0);
			if (record.vector == UD)
				print("ok");
			else
				print("%lx:%lx", record.vector, has_code() ? *frame() : 0);
			if (record.vector == PF && record.cr2 != AT)
				print("@%lx", record.cr2);
			for (int e = 0; e < 4; e++)
				if (*entries[e] & 0x20)
					print("%d", 4 - e);
			for (int e = 0; e < 4; e++)
				if (*entries[e] & 0x40)
					print("d");
		}
	print("\n");
}

static void each_level(void)
{
	static const uint64_t next[] = { PDPT1, PD1, PT1, DATA };
	static const uint64_t odd[] = { NX, 1ul << 51, 1ul << 40, 1ul << 52, 1ul << 58, 1ul << 62, 0x80, 0x100, 0x18, 0xe00 };

	for (int e = 0; e < 4; e++) {
		for (int bits = 0; bits < 8; bits++)
			for (int wp = 0; wp < 2; wp++) {
				print("page %s %d wp %d:", names[e], bits, wp);
				words(e, next[e] | bits, 0, 0, 1, 0, 0x80000011 | wp << 16, 0);
			}
		for (unsigned o = 0; o < sizeof odd / sizeof *odd; o++)
			for (int nxe = 0; nxe < 2; nxe++)
				for (int p = 6; p < 8; p++) {
					if (odd[o] == 0x80 && (e == 1 || e == 2))
						continue;
					print("page %s %lx nxe %d:", names[e], next[e] | odd[o] | p, nxe);
					words(e, next[e] | odd[o] | p, 0, 0, nxe, 0, 0x80010011, 0);
				}
	}
	/* Two levels at odds. */
	for (int a = 1; a < 8; a += 2)
		for (int b = 0; b < 8; b++) {
			print("page pde %d pte %d:", a, b);
			words(2, PT1 | a, 3, DATA | b, 1, 0, 0x80010011, 0);
		}
	for (int e = 0; e < 3; e++) {
		print("page nx in %s, pte supervisor:", names[e]);
		words(e, next[e] | 7 | NX, 3, DATA | 3, 1, 0, 0x80010011, 0);
		print("page rsvd in %s, pte absent:", names[e]);
		words(e, next[e] | 7 | 1ul << 51, 3, DATA, 1, 0, 0x80010011, 0);
		print("page %s supervisor and read-only, pte rsvd:", names[e]);
		words(e, next[e] | 1, 3, DATA | 7 | 1ul << 51, 1, 0, 0x80010011, 0);
	}
}

static void large(void)
{
	static const uint64_t bits[] = { 0, 1ul << 12, 1ul << 13, 1ul << 20, 1ul << 21, 1ul << 29, 1ul << 51, NX, 0x100 };

	for (int e = 1; e < 3; e++)
		for (unsigned b = 0; b < sizeof bits / sizeof *bits; b++)
			for (int p = 0; p < 8; p += b ? 7 : 1) {
				if (e == 2 && (bits[b] == 1ul << 21 || bits[b] == 1ul << 29))
					continue; /* another address, not a reserved bit */
				print("page large %s %lx:", names[e], 0x80ul | bits[b] | p);
				*(uint16_t *)0 = 0x0b0f;
				words(e, 0x80 | bits[b] | p, 0, 0, 1, 0, 0x80010011, 0);
			}
}

static void modes(void)
{
	for (int cr4 = 0; cr4 < 4; cr4++)
		for (int ac = 0; ac < 2; ac++)
			for (int wp = 0; wp < 2; wp++)
				for (int bits = 1; bits < 8; bits += 2)
					for (int nx = 0; nx < 2; nx++) {
						if (nx && (bits != 7 || !wp))
							continue;
						print("page smep %d smap %d ac %d wp %d pte %d%s:", cr4 & 1, cr4 >> 1, ac, wp, bits, nx ? " nx" : "");
						words(3, DATA | bits | nx * NX, 0, 0, 1, (word)cr4 << 20, 0x80000011 | wp << 16, ac << 18);
					}
	/* The user bit of upper levels counts for SMAP and SMEP. */
	for (int e = 0; e < 3; e++) {
		static const uint64_t next[] = { PDPT1, PD1, PT1 };
		print("page smep 1 smap 1, %s supervisor:", names[e]);
		words(e, next[e] | 3, 0, 0, 1, 3 << 20, 0x80010011, 0);
	}
}

static void crossings(void)
{
	static const int firsts[] = { 7, 7, 0, 7, 5, 7, 3 }, seconds[] = { 7, 0, 7, 5, 7, 3, 7 };

	for (unsigned i = 0; i < 7; i++)
		for (int which = kernel; which <= user64; which++)
			for (int access = load; access < accesses; access++) {
				begin();
				level(which);
				start.r8 = AT + 0xffe;
				((uint64_t *)PT1)[0] = DATA | firsts[i];
				((uint64_t *)PT1)[1] = (DATA + PAGE) | seconds[i];
				*(uint32_t *)(DATA + 0xffe) = access == fetch ? 0x9090b866 : 0x11111111;
				*(uint32_t *)(DATA + 0x1002) = 0x0b0f;
				if (access == modify)
					op(7, 0x41, 0x81, 0x00, 1, 1, 1, 1);
				else
					access_code(access);
				watch("pte0", (void *)PT1), watch("pte1", (void *)(PT1 + 8)), watch("memory", (void *)(DATA + 0xffe));
				run("page crossing %d %d, %c %s", firsts[i], seconds[i], "rwxm"[access], level_names[which]);
			}
}

void pages(void)
{
	each_level();
	large();
	modes();
	crossings();
}
