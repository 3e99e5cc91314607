package idt

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// story is what an observer hears of a delivery, the checks passed left out.
func story(w *world, ev Event) []string {
	rec := w.record()
	delivered(w.fake, ev)
	var s []string
	for i := range rec.events {
		if e := &rec.events[i]; e.Stage != StageCheck || !e.OK {
			s = append(s, e.String())
		}
	}
	return s
}

func TestStories(t *testing.T) {
	for _, c := range []struct {
		name string
		mode mode
		prep func(*world)
		ev   Event
		want []string
	}{
		{"a page fault from ring 3", paged, fromRing3(), Event{Vector: VecPF, HasCode: true, Code: 6, CR2: hole, Return: code}, []string{
			"event #PF code=0x6 CR2=0x600000 at 0x40000",
			"gate 3070: type=e DPL=0 IST=0 target=0008:41230",
			"selector 0008 1008: 00cf9b000000ffff",
			"selector 0010 1010: 00cf93000000ffff",
			"stack TSS SS:RSP=0010:52000",
			"push 51ffc: 00000033 SS",
			"push 51ff8: 00058000 ESP",
			"push 51ff4: 00010202 EFLAGS",
			"push 51ff0: 0000002b CS",
			"push 51fec: 00040000 EIP",
			"push 51fe8: 00000006 error code",
			"entered #PF CS:RIP=0008:41230",
		}},
		{"#PF, #PF, #DF on an IST", long64, func(w *world) { w.g[4] = guard + 0x1000; w.idt(VecDF, gate(code0, handler, int32Gate, 1)) },
			Event{Vector: VecPF, HasCode: true, Code: 2, CR2: hole, Return: code}, []string{
				"event #PF code=0x2 CR2=0x600000 at 0x40000",
				"gate 30e0: type=e DPL=0 IST=0 target=0008:41230",
				"selector 0008 1008: 00af9b000000ffff",
				"stack current SS:RSP=0010:61000",
				"event #PF code=0x2 CR2=0x60ff8 at 0x40000",
				"event #DF code=0x0 at 0x40000",
				"gate 3080: type=e DPL=0 IST=1 target=0008:41230",
				"selector 0008 1008: 00af9b000000ffff",
				"stack IST SS:RSP=0010:5a000",
				"push 59ff8: 0000000000000010 SS",
				"push 59ff0: 0000000000061000 RSP",
				"push 59fe8: 0000000000000202 RFLAGS",
				"push 59fe0: 0000000000000008 CS",
				"push 59fd8: 0000000000040000 RIP",
				"push 59fd0: 0000000000000000 error code",
				"entered #DF CS:RIP=0008:41230",
			}},
		{"shutdown names the rules", prot, func(w *world) { w.r.IDTR.Limit = 0x2f }, Event{Vector: VecUD, Return: code}, []string{
			"event #UD at 0x40000",
			"check FAILED: gate is within the IDT limit",
			"event #GP code=0x33 at 0x40000",
			"check FAILED: gate is within the IDT limit",
			"event #GP code=0x6b at 0x40000",
			"event #DF code=0x0 at 0x40000",
			"check FAILED: gate is within the IDT limit",
			"event #GP code=0x43 at 0x40000",
			"shutdown #GP code=0x43 at 0x40000",
		}},
		{"an interrupt through a task gate", prot, func(w *world) { taskGate(w, 0x20, tss2Sel) }, Event{Vector: 0x20, Kind: External, Return: code}, []string{
			"event INTR 0x20 at 0x40000",
			"gate 3100: type=5 DPL=0 IST=0 target=0050:0",
			"selector 0050 1050: 0000890060000067",
			"task-save TSS=0040 at 5000",
			"task-link TSS=0050 at 6000",
			"task-load TSS=0050 at 6000",
			"selector 0068 1068: 000082002000007f",
			"selector 0008 1008: 00cf9b000000ffff",
			"selector 0010 1010: 00cf93000000ffff",
			"selector 0010 1010: 00cf93000000ffff",
			"selector 0010 1010: 00cf93000000ffff",
			"selector 0030 1030: 00cff3000000ffff",
			"task-done TSS=0050 at 6000",
			"entered vector 0x20 CS:RIP=0008:41230",
		}},
		{"real mode", real16, nil, Event{Vector: 0x21, Kind: SoftInt, Return: 0x1236}, []string{
			"event INT 0x21 at 0x1236",
			"vector 84: 41000230",
			"push 51ffe: 0202 FLAGS",
			"push 51ffc: 4000 CS",
			"push 51ffa: 1236 IP",
			"entered vector 0x21 CS:RIP=4100:230",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.mode)
			if c.prep != nil {
				c.prep(w)
			}
			assert.Equal(t, c.want, story(w, c.ev))
		})
	}
}
