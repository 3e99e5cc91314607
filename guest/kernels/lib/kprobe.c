/* kprobe.c: a probe is set, hit, stepped over and taken out again. */
#include "kprobe.h"

#define DR6_BS 0x4000ul /* this #DB is a single step's */

enum { PUSHF = 0x9C, RET = 0xC3, CALL = 0xE8 }; /* first bytes of instructions */

struct kprobe_control kprobe_control;

static struct kprobe *probes;

static uint8_t *code(const struct kprobe *p, word address)
{
	return (uint8_t *)(address + p->alias);
}

void register_kprobe(struct kprobe *p)
{
	uint8_t *instruction = code(p, p->address), *slot = code(p, p->slot);

	copy(slot, instruction, p->length);
	/* What is relative to RIP is relative to the slot now. */
	if (p->displacement)
		*(int32_t *)(slot + p->displacement) += (int32_t)(p->address - p->slot);
	p->displaced = *instruction;
	*instruction = INT3;
	p->next = probes;
	probes = p;
}

void unregister_kprobe(struct kprobe *p)
{
	struct kprobe **link = &probes;

	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	*code(p, p->address) = p->displaced;
}

int kprobe_hit(struct trap *t)
{
	struct kprobe_control *control = &kprobe_control;
	struct kprobe *p = probes;

	/* #BP is a trap: the saved pointer is behind the INT3. */
	while (p && p->address != t->ip - 1)
		p = p->next;
	if (!p || control->current)
		return 0;
	control->current = p;
	control->old_flags = t->flags & (FLAG_TF | FLAG_IF);
	control->status = KPROBE_HIT_ACTIVE;
	t->ip = p->address;
	if (p->pre)
		p->pre(p, t);

	control->status = KPROBE_HIT_SS;
	t->ip = p->slot;
	t->flags = (t->flags | FLAG_TF) & ~FLAG_IF;
	return 1;
}

/* resume puts right what the instruction did because it ran in the slot. */
static void resume(const struct kprobe *p, struct trap *t)
{
	word *pushed = (word *)trap_stack(t);

	switch (p->displaced) {
	case PUSHF: /* it pushed the TF that we had set */
		*pushed = (*pushed & ~(FLAG_TF | FLAG_IF)) | kprobe_control.old_flags;
		break;
	case CALL: /* it pushed the address behind its copy */
		*pushed += p->address - p->slot;
		break;
	case RET: /* it went where it was told to */
		return;
	}
	t->ip += p->address - p->slot;
}

int kprobe_stepped(struct trap *t)
{
	struct kprobe_control *control = &kprobe_control;
	struct kprobe *p = control->current;
	word dr6;

	__asm__ volatile("mov %%db6, %0" : "=r"(dr6));
	__asm__ volatile("mov %0, %%db6" ::"r"(dr6 & ~DR6_BS)); /* no one else takes it out */
	if (!(dr6 & DR6_BS) || !p || control->status != KPROBE_HIT_SS)
		return 0;
	resume(p, t);
	control->status = KPROBE_HIT_SSDONE;
	if (p->post)
		p->post(p, t);
	t->flags = (t->flags & ~FLAG_TF) | control->old_flags;
	kprobe_drop();
	return 1;
}

void kprobe_step_back(struct trap *t)
{
	t->ip = kprobe_control.current->address;
	t->flags = (t->flags & ~FLAG_TF) | kprobe_control.old_flags;
	kprobe_drop();
}

void kprobe_drop(void)
{
	kprobe_control.current = 0;
	kprobe_control.status = KPROBE_IDLE;
}
