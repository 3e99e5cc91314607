/* trial.h: one arrangement of modules, and what becomes of the processes. */
#ifndef TRIAL_H
#define TRIAL_H

#include "process.h"

enum area { MODULES, VMALLOC }; /* MODULES: 64 bits only */
enum place { ROW, SHIFTED, ANYWHERE };
enum data { NONE, BEHIND, APART };
enum tables { COPIED, ADVANCE };

enum { MAX_BOOT = 64, MAX_LATE = 8, MAX_PROCESSES = 16, MAX_PAGES = 1024, ANY_PAGE = MAX_PAGES };

struct trial {
	unsigned area;         /* where modules are mapped */
	unsigned place;        /* how a place is found there: one behind the other, the
				  same from a start 1 to 1024 pages on, or anywhere */
	unsigned boot;         /* modules loaded before the first process is made */
	unsigned boot_pages;   /* pages of each */
	unsigned late;         /* drivers loaded after it, a page each */
	unsigned use;          /* per cent: a process uses a late driver with this chance */
	unsigned pages;        /* pages of code of the module with the handler */
	unsigned handler;      /* which of them has the handler, or ANY_PAGE */
	unsigned data;         /* its data: none, a page behind the code, or one apart */
	unsigned tables;       /* the area's top-level entries: ADVANCE makes all of
				  them before the first process */
	unsigned processes;
	unsigned seed;
};

struct outcome {
	word handler, data; /* addresses; data is 0 if there is none */
	unsigned lacking;   /* processes whose table lacks an entry for one of them */
	unsigned deaths;    /* processes that met a double fault */
};

/* run_trial makes everything anew: the master, the modules, the processes. Then
   each process has one ordinary page fault. */
struct outcome run_trial(const struct trial *t);

/* The area of a trial: its first address, and the one behind its last. */
word area_start(const struct trial *t);
word area_end(const struct trial *t);

/* The kernel's image is mapped there too, in 64 bits in the last top-level
   entry, where the modules are. */
#define IMAGE IN_64(0xffffffff80000000ul, 0xc0000000ul)

/* read_options changes a trial as NAME=VALUE words say. A word that it does not
   know ends the run. */
void read_options(const char *words, struct trial *t);

/* entry.S */
extern const char handler[], handler_data[], handler_end[];

#endif
