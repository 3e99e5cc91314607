/* kprobe.h: a probe at an instruction, the way of Linux's kprobes.

   The instruction's first byte becomes INT3; a copy of the instruction lies in
   a slot elsewhere. A hit calls the pre-handler and returns to the slot with
   TF set, so that a #DB comes after that one instruction. What the instruction
   did that depends on its address is then put right, the post-handler is
   called, the flags are the caller's again, and the program goes on.

   What can be displaced: instructions that do not look at where they run, near
   relative jumps and CALL, near RET, PUSHF, and in 64 bits operands relative to
   RIP. Not: jumps and calls through memory or a register, far ones, INT and IRET,
   whose resume is not written; POPF and MOV to SS, which lose or delay the step.

   Interrupts stay off, there is one CPU, and a probe is never hit while
   another one is at work. */
#ifndef KPROBE_H
#define KPROBE_H

#include "lib.h"

#define FLAG_TF 0x100ul
#define FLAG_IF 0x200ul
#define INT3    0xCC

struct kprobe {
	word address;
	unsigned length;       /* of the instruction, in bytes */
	unsigned displacement; /* where in it a RIP-relative displacement is; 0 for none */
	word slot;             /* 16 bytes that the probed program can execute */
	word alias;            /* added to an address of its code: where the kernel writes it */

	/* Each may be missing. fault is told of a page fault while the probe is at
	   work, and returns whether it has taken care of it. */
	void (*pre)(struct kprobe *p, struct trap *t);
	void (*post)(struct kprobe *p, struct trap *t);
	int (*fault)(struct kprobe *p, struct trap *t);

	uint8_t displaced; /* the byte that INT3 is in the place of */
	struct kprobe *next;
};

enum kprobe_status { KPROBE_IDLE, KPROBE_HIT_ACTIVE, KPROBE_HIT_SS, KPROBE_HIT_SSDONE };

/* What the CPU is at. HIT_ACTIVE is the pre-handler's time, HIT_SS that of the
   displaced instruction, HIT_SSDONE the post-handler's. */
struct kprobe_control {
	struct kprobe *current;
	enum kprobe_status status;
	word old_flags; /* TF and IF of the program */
};
extern struct kprobe_control kprobe_control;

void register_kprobe(struct kprobe *p);
void unregister_kprobe(struct kprobe *p);

/* kprobe_hit is for the handler of #BP, kprobe_stepped for that of #DB: each
   returns whether the exception was a probe's. */
int kprobe_hit(struct trap *t);
int kprobe_stepped(struct trap *t);

/* kprobe_step_back is for the handler of #PF, when the displaced instruction
   has faulted: the program is put back at the probe, which will be hit again,
   and the probe is no longer at work. */
void kprobe_step_back(struct trap *t);

/* kprobe_drop gives up the probe at work without its second half. */
void kprobe_drop(void);

#endif
