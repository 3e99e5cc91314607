/* pae.c: the same for PAE tables: NX, reserved bits, and the PDPTE registers.
   [SDM 3A, PAE Paging; PDPTE Registers] */
#include "cases.h"

#define AT    0x40000000
#define PDPT  ((uint64_t *)0x205000)
#define PD0   ((uint64_t *)0x206000)
#define PTS   ((uint64_t *)0x207000) /* two pages */
#define PD1   ((uint64_t *)0x209000)
#define PT1   ((uint64_t *)0x20a000)

static void begin_pae(int level)
{
	begin();
	if (level)
		user();
	static int made;

	for (int i = 0; i < 1024 && !made; i++)
		PTS[i] = ((uint32_t *)0x201000)[i];
	made = 1;
	for (int i = 0; i < 4; i++)
		PDPT[i] = PDPT[256 + i] = 0;
	PDPT[0] = 0x206001;
	PDPT[1] = 0x209001;
	PD0[0] = 0x207067;
	PD0[1] = 0x208067;
	PD1[0] = 0x20a007;
	PT1[0] = DATA | 7;
	*(uint16_t *)DATA = 0x0b0f;
	start.cr3 = 0x205000;
	start.cr4 = 0x20;
}

static void access_code(int access)
{
	switch (access) {
	case 0: op(1, 0xa1), op32(AT); break;
	case 1: op(1, 0xa3), op32(AT); break;
	case 2: op(1, 0xb8), op32(AT), op(2, 0xff, 0xe0); break;
	}
}

static void word_for(void)
{
	if (record.vector == UD)
		print("ok");
	else
		print("%lx:%lx", (word)record.vector, (word)(has_code() ? *frame() : 0));
	print("%s%s%s%s", PD1[0] & 0x20 ? "A" : "", PD1[0] & 0x40 ? "D" : "", PT1[0] & 0x20 ? "a" : "", PT1[0] & 0x40 ? "d" : "");
}

static void row(int nxe, uint64_t pde, uint64_t low)
{
	print("pae nxe %d pde %lx%08lx pte %lx%08lx:", nxe, (word)(pde >> 32), (word)pde, (word)(low >> 32), (word)low);
	for (int level = 0; level <= 3; level += 3)
		for (int access = 0; access < 3; access++) {
			begin_pae(level);
			efer = nxe << 11;
			start.cr0 |= 0x10000;
			PD1[0] = pde;
			PT1[0] = low;
			access_code(access);
			run_quiet();
			print(" %c%d ", "rwx"[access], level);
			word_for();
		}
	print("\n");
}

static void entries(void)
{
	static const uint64_t high[] = { 0, 1ull << 63, 1ull << 62, 1ull << 59, 1ull << 52, 1ull << 51 };

	for (int nxe = 0; nxe < 2; nxe++)
		for (unsigned h = 0; h < sizeof high / sizeof *high; h++) {
			for (int bits = 0; bits < 8; bits += 1) {
				row(nxe, 0x20a000 | bits | high[h], DATA | 7);
				if (bits < 7 || h)
					row(nxe, 0x20a007, DATA | bits | high[h]);
			}
			/* 2 MiB pages; bit 13 is reserved in them. */
			row(nxe, 0x000087 | high[h], 0);
			row(nxe, 0x202087 | high[h], 0);
			row(nxe, 0x001087 | high[h], 0);
			if (h)
				row(nxe, 0x20a001 | high[h], DATA | 7 | high[h]);
		}
}

/* MOV to CR3 reads the four registers and checks them all. */
static void registers(void)
{
	static const uint64_t bad[] = {
		1, 0, 3, 5, 7, 0x19, 0x21, 0x41, 0x81, 0x101, 0x201, 0xe01, 1ull << 63 | 1, 1ull << 62 | 1, 1ull << 52 | 1, 1ull << 51 | 1, 0x1fe,
	};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		for (int which = 1; which < 4; which += 2) {
			begin_pae(0);
			efer = 0x800;
			op(1, 0xb8), op32(0x205800), op(3, 0x0f, 0x22, 0xd8);
			for (int e = 0; e < 4; e++)
				PDPT[256 + e] = PDPT[e];
			PDPT[256 + which] = 0x209000 | bad[i];
			run("pae mov cr3, pdpte%d %lx%08lx", which, (word)(bad[i] >> 32), (word)bad[i]);
		}
	for (int load = 0; load < 2; load++) {
		begin_pae(0);
		/* The table changes in memory, the register does not. */
		op(2, 0xc7, 0x05), op32(0x205008), op32(0);
		if (load)
			op(3, 0x0f, 0x20, 0xd8), op(3, 0x0f, 0x22, 0xd8);
		op(1, 0xa1), op32(AT);
		run("pae pdpte cleared in memory%s", load ? ", cr3 loaded" : "");
	}
	for (int top = 0; top < 4; top++) {
		begin_pae(0);
		op(1, 0xa1), op32((uint32_t)top << 30 | 0x00500000);
		run("pae load under pdpte%d", top);
	}
}

void pae(void)
{
	entries();
	registers();
}
