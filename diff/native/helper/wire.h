/* What x86emu and its helper share: one memory, mapped by both. All of it is
 * little-endian and aligned to 8; wire_linux_amd64.go is the other side. */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define PAGE 4096
#define CODE_PAGES 2
#define DATA_PAGES 3 /* the last one is read only */
#define PAGES (CODE_PAGES + DATA_PAGES)
#define CODE_BASE 0x10000000UL
#define DATA_BASE 0x20000000UL
#define MAX_LDT 64
#define READ_ONLY_AT 0x8000 /* the read-only page, in the shared memory */

/* Beside the vectors of the processor: */
#define IN_KERNEL 0x100 /* a system call, which was refused */
#define TOO_LONG 0x101	/* no end in sight */

struct regs {
	u64 gpr[16]; /* RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15 */
	u64 rip, flags;
	u16 seg[6]; /* ES CS SS DS FS GS */
	u32 bases;  /* of a question: FS and GS have these, whatever their selectors */
	u64 fsbase, gsbase;
};

struct patch {
	u32 at; /* in the pages, code first */
	u32 len;
	u8 bytes[]; /* and up to 7 more, to a multiple of 8 */
};

#define FLOAT 512 /* the area of FXSAVE */

struct question {
	struct regs regs;
	u64 patched; /* bytes of patches that follow the area */
	u64 floats;  /* FLOAT if the area of the x87, MMX and SSE units follows, else 0 */
};

struct word {
	u64 at, value;
};

struct answer {
	struct regs regs;
	u64 vector, error, cr2;
	u64 words;  /* that follow the area */
	u64 floats; /* as of the question */
};

/* A segment of the LDT, as modify_ldt takes it. */
struct segment {
	u32 entry, base, limit, bits;
};

struct header {
	u32 count; /* of questions */
	u32 done;  /* of answers, so far */
	u32 segments;
	u32 ticks;	   /* of 10 ms that a case may take */
	u64 ask, reply, end; /* where questions and answers begin, in bytes from here; the size of all */
	u64 ready; /* set by the helper when its preparation is done */
	struct segment segment[MAX_LDT];
	u8 pages[PAGES * PAGE]; /* as a case finds them before its patches */
};
