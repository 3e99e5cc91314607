/* harness.h: what the table of cases holds, and how the parts of the harness
   call each other. diff/harness/table.go writes the same layout. */
#pragma once
#include <stdint.h>

/* The table is a multiboot module; positions are in bytes from its beginning. */
struct table {
	uint32_t magic;
	uint32_t flags;
	uint32_t number;	/* tells one run from another */
	uint32_t first;		/* the case to begin with */
	uint32_t count;		/* of cases */
	uint32_t cases;		/* where their positions are */
	uint32_t worlds;	/* where the worlds' positions are */
	uint32_t size;
};

#define TABLE_MAGIC  0x64363878
#define BY_HOST      1 /* the host prepares and compares the arena, and begins each case */

/* An arena: those of its pages that are not all zero. */
struct world {
	uint32_t pages;
	struct page {
		uint32_t number;
		uint8_t bytes[4096];
	} page[];
};

/* Registers, as a case begins and as it ends. Offsets are known to enter.S and
   collect.S; a report is about the quadwords that differ. */
struct state {
	uint64_t gpr[16];
	uint64_t rip, rflags, fs_base, gs_base;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t dr[8];			/* [4]: where the frame of IRETQ ends; 0: the harness's stack */
	uint64_t tr_descriptor[2];	/* what TR is loaded from: not busy */
	uint16_t gdt_pad[3], gdt_limit;
	uint64_t gdt_base;
	uint16_t idt_pad[3], idt_limit;
	uint64_t idt_base;
	uint16_t segment[6];		/* ES CS SS DS FS GS */
	uint16_t ldtr, tr;
	uint32_t pkru;
	uint32_t how;			/* see below */
};

/* state.how */
#define LONG_MODE  1
#define LOAD_FS    2 /* FS.base from fs_base */
#define LOAD_GS    4
#define FULL_XMM   8 /* XMM8 to 15 can be, and must be, cleared */
#define BY_JUMP    16 /* in long mode, to CPL 0 and a 16-bit stack: IRETQ would load SP alone */

#define SLOTS (sizeof(struct state) / 8)

struct test {
	struct state start;
	uint64_t pages;		/* those that can change, a bit each */
	uint32_t world;
	uint32_t patches;	/* how many follow */
};

/* Bytes that the case has and its world has not; padded to 4 bytes. */
struct patch {
	uint32_t at, length;
	uint8_t bytes[];
};

/* Where memory is shared out, beyond the image. */
#define ARENA        0x1000000u
#define ARENA_SIZE   0x40000u
#define START        0x1100000u /* the arena as the case began */
#define WORLDS       0x1200000u /* the worlds' arenas, one after the other */
#define MOST_WORLDS  16
#define PROGRESS     0x1f00000u /* survives a reset */
#define TRAMPOLINE   0x8000u    /* real-mode code for after a reset */

/* enter.S: begins a case; comes back with `record` filled in, when it has
   reached a collector or could not begin. */
void enter(const struct state *start);
void enter_by_host(const struct state *start);
void try_sse(void);
extern uint32_t has_sse;

/* collect.S */
extern struct state record;
extern uint32_t vector;
#define NOT_BEGUN 0x100 /* + vector of the exception that prevented it */
#define COLLECTORS 0x200000u
extern uint32_t which_way;	/* the displacement of a jump */
extern char collect32[], collect64[], not_begun_table32[], not_begun_table64[];

#define OWN_TSS 0xff0
extern uint64_t own_gdt[512], own_idt32[256], own_idt64[512];
extern char own_stack[], own_stack_top[];

/* head.S */
extern char trampoline[], trampoline_end[];
int page_differs(const void *a, const void *b);
