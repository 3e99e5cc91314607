/* tasks.c: task switches by JMP, CALL, task gates, and what the incoming TSS
   can get wrong. [SDM 3A, Task Switching] */
#include "cases.h"

enum { jmp_tss, call_tss, jmp_gate, call_gate, int_gate, ways };
static const char *const way_names[] = { "jmp tss", "call tss", "jmp gate", "call gate", "int gate" };

static uint32_t *const next = (uint32_t *)TSS2;

static void go(int way, int rpl)
{
	*gdt_entry(X4) = gate(TSS2_SEL, 0, 0xe5);
	*idt_entry(INTN) = gate(TSS2_SEL, 0, 0xe5);
	if (way == int_gate)
		op(2, 0xcd, INTN);
	else
		op(1, way & 1 ? 0x9a : 0xea), op32(0x12345678), op16((way < jmp_gate ? TSS2_SEL : X4) + rpl);
}

static void descriptors(void)
{
	static const struct { const char *name; int access, limit, level; } tss[] = {
		{ "good", 0x89, 103, 0 }, { "good, dpl3", 0xe9, 103, 3 }, { "dpl0", 0x89, 103, 3 },
		{ "busy", 0x8b, 103, 0 }, { "absent", 0x09, 103, 0 }, { "absent, busy", 0x0b, 103, 0 },
		{ "limit 102", 0x89, 102, 0 }, { "limit 104", 0x89, 104, 0 }, { "limit 0", 0x89, 0, 0 },
		{ "16 bit, limit 42", 0x81, 42, 0 }, { "busy 16 bit", 0x83, 103, 0 },
	};
	for (int way = 0; way < ways; way++)
		for (unsigned i = 0; i < sizeof tss / sizeof *tss; i++) {
			begin();
			if (tss[i].level)
				user();
			*gdt_entry(TSS2_SEL) = segment(TSS2, tss[i].limit, tss[i].access, 0);
			go(way, 0);
			run("task %s, %s", way_names[way], tss[i].name);
		}
}

static void selectors(void)
{
	static const struct { const char *name; int selector; } to[] = {
		{ "null", 0 }, { "in ldt", LDT_CODE_0 }, { "beyond", BEYOND }, { "code", CODE_0 }, { "rpl3", TSS2_SEL + 3 },
		{ "ldt", LDT_SEL }, { "itself", TSS_SEL },
	};
	for (int way = jmp_gate; way < ways; way++) {
		for (unsigned i = 0; i < sizeof to / sizeof *to; i++) {
			begin();
			go(way, 0);
			*gdt_entry(X4) = *idt_entry(INTN) = gate(to[i].selector, 0, 0xe5);
			run("task %s names %s", way_names[way], to[i].name);
		}
		for (int access = 0x05; access < 0x100; access += 0x20)
			for (int rpl = 0; rpl <= 3; rpl += 3) {
				begin();
				user();
				if (way == int_gate && rpl)
					continue;
				go(way, rpl);
				*gdt_entry(X4) = *idt_entry(INTN) = gate(TSS2_SEL, 0, access);
				run("task %s cpl3 rpl%d access %02lx", way_names[way], rpl, (word)access);
			}
	}
}

/* Faults that belong to the new task. They go to tasks, since its stack may
   be what is wrong. */
static void incoming(void)
{
	static const struct { const char *name; int field; uint32_t value; uint64_t x1; } wrong[] = {
		{ "cs null", 19, 0, 0 }, { "cs null rpl3", 19, 3, 0 }, { "cs beyond", 19, BEYOND, 0 },
		{ "cs data", 19, DATA_0, 0 }, { "cs rpl3 dpl0", 19, CODE_0 + 3, 0 }, { "cs rpl0 dpl3", 19, CODE_3 - 3, 0 },
		{ "cs dpl3", 19, CODE_3, 0 }, { "cs absent", 19, X1, 0x00cf1b000000ffff }, { "cs absent data", 19, X1, 0x00cf13000000ffff },
		{ "cs conforming", 19, CONF_0, 0 }, { "cs conforming rpl3", 19, CONF_0 + 3, 0 }, { "cs conforming dpl3 rpl0", 19, CONF_3 - 3, 0 },
		{ "cs in ldt", 19, LDT_CODE_0, 0 }, { "cs not accessed", 19, X1, 0x00cf9a000000ffff }, { "cs limit", 19, X1, 0x00409b000000ffff },
		{ "ss null", 20, 0, 0 }, { "ss beyond", 20, BEYOND, 0 }, { "ss code", 20, CODE_0, 0 },
		{ "ss rpl3", 20, DATA_0 + 3, 0 }, { "ss dpl3", 20, DATA_3 - 3, 0 }, { "ss dpl3 rpl3", 20, DATA_3, 0 },
		{ "ss read-only", 20, X1, 0x00cf91000000ffff }, { "ss absent", 20, X1, 0x00cf13000000ffff },
		{ "ss absent dpl3", 20, X1, 0x00cf73000000ffff },
		{ "ss not accessed", 20, X1, 0x00cf92000000ffff }, { "ss in ldt", 20, LDT_DATA_0, 0 },
		{ "ds null", 21, 0, 0 }, { "ds beyond", 21, BEYOND, 0 }, { "ds code", 21, CODE_0, 0 },
		{ "ds execute-only", 21, X1, 0x00cf99000000ffff }, { "ds absent", 21, X1, 0x00cf13000000ffff },
		{ "ds absent, execute-only", 21, X1, 0x00cf19000000ffff },
		{ "ds rpl3 dpl0", 21, DATA_0 + 3, 0 }, { "ds tss", 21, TSS_SEL, 0 }, { "es absent", 18, X1, 0x00cf13000000ffff },
		{ "fs beyond", 22, BEYOND, 0 }, { "gs beyond rpl3", 23, BEYOND + 3, 0 }, { "gs not accessed", 23, X1, 0x00cf92000000ffff },
		{ "ldt null", 24, 0, 0 }, { "ldt null rpl3", 24, 3, 0 }, { "ldt good", 24, LDT_SEL, 0 }, { "ldt in ldt", 24, LDT_CODE_0, 0 },
		{ "ldt beyond", 24, BEYOND, 0 }, { "ldt code", 24, CODE_0, 0 }, { "ldt absent", 24, X1, 0x0000023020000fff },
		{ "eip beyond limit", 8, 0xffffffff, 0 }, { "eip unmapped", 8, 0x500000, 0 },
		{ "vm", 9, 0x20002, 0 }, { "nt", 9, 0x4002, 0 }, { "all flags", 9, 0xfffdbed7, 0 },
		{ "t", 25, 104 << 16 | 1, 0 }, { "upper halves", 19, 0xffff0000 | CODE_0, 0 },
	};
	for (int by_gate = 0; by_gate < 2; by_gate++)
		for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
			begin();
			all_by_task();
			go(by_gate ? int_gate : call_tss, 0);
			next[24] = LDT_SEL;
			*gdt_entry(X1) = wrong[i].x1;
			next[wrong[i].field] = wrong[i].value;
			if (wrong[i].field == 20 && wrong[i].value == DATA_3)
				next[19] = CODE_3, next[8] = CODE3;
			if (wrong[i].field == 19 && wrong[i].value == CODE_3)
				next[20] = DATA_3, next[8] = CODE3;
			run("task %s, new %s", by_gate ? "int" : "call", wrong[i].name);
		}
	begin();
	go(call_tss, 0);
	*(uint32_t *)V86_CODE = 0x0b0f;
	next[8] = 0, next[9] = 0x23002, next[14] = 0x800;
	next[18] = 0x1111, next[19] = 0x1000, next[20] = 0x1100, next[21] = 0x2222, next[22] = 0x3333, next[23] = 0x4444;
	run("task call, to vm86");
}

/* A TSS on a page that is not there or not to be written: #PF of the old task. */
static void mapped(void)
{
	static const struct { const char *name; uint32_t at; int page, bits; } tss[] = {
		{ "new tss absent page", TSS2, TSS2, 0 },
		{ "new tss read-only page", TSS2, TSS2, PRESENT },
		{ "new tss's second page absent", TSS2 + 0x3fcc, TSS2 + 0x4000, 0 },
	};
	for (unsigned i = 0; i < sizeof tss / sizeof *tss; i++) {
		begin();
		start.cr0 |= 0x10000;
		go(call_tss, 0);
		*gdt_entry(TSS2_SEL) = segment(tss[i].at, 103, 0x89, 0);
		*pte(tss[i].page) = tss[i].page | tss[i].bits;
		run("task, %s", tss[i].name);
	}
	begin();
	by_task(GP);
	((uint32_t *)(TASKS + 128 * GP))[14] = STACK0;
	go(call_tss, 0);
	*gdt_entry(TSS2_SEL) = 0;
	run("task, stack of the error code absent");
}

static void small_tss(void)
{
	for (int way = 0; way < ways; way++) {
		uint16_t *t = (uint16_t *)TSS2;

		begin();
		for (int i = 0; i < 26; i++)
			next[i] = 0;
		*gdt_entry(X1) = segment(STUBS, 0xffff, 0x9b, 4);
		*gdt_entry(X2) = segment(TASK_STACK, 0xffff, 0x93, 0);
		*gdt_entry(TSS2_SEL) = segment(TSS2, 43, 0x81, 0);
		t[7] = 32 * 0x54, t[8] = 0x202;
		for (int i = 0; i < 8; i++)
			t[9 + i] = 0x100 * i;
		t[17] = DATA_0, t[18] = X1, t[19] = X2, t[20] = DATA_0;
		go(way, 0);
		run("task %s, 16-bit tss", way_names[way]);
		begin();
		tss_type = 1, tss_limit = 43;
		go(way, 0);
		run("task %s, from a 16-bit tss", way_names[way]);
	}
}

void tasks(void)
{
	descriptors();
	selectors();
	incoming();
	mapped();
	small_tss();
}
