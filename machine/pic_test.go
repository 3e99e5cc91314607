package machine

import "testing"

// start writes the initialisation words that most systems do: vectors from 0x20
// and 0x28, cascade at 2, 8086 mode, nothing masked.
const start = "out 20 11; out 21 20; out 21 4; out 21 1; out a0 11; out a1 28; out a1 2; out a1 1; "

func TestPICRules(t *testing.T) {
	for _, c := range []struct{ rule, script string }{
		{"without initialisation nothing is asked", "out 21 0; raise 1; intr 0; in 20 2"},
		{"the vector is ICW2's upper five bits and the input", "out 20 13; out 21 27; out 21 1; raise 3; ack 23"},
		{"ICW1 clears the mask and the edges seen", start + "out 21 ff; raise 1; out 20 11; out 21 20; out 21 4; out 21 1; in 21 0; in 20 0; intr 0; drop 1; raise 1; ack 21"},
		{"ICW1 without IC4: ICW3 is the last word", "out 20 10; out 21 20; out 21 4; out 21 fb; in 21 fb"},
		{"single: there is no ICW3", "out 20 12; out 21 20; out 21 fb; in 21 fb; raise 2; intr 0; raise 8; intr 0"},
		{"a masked request waits", start + "out 21 2; raise 1; intr 0; in 20 2; out 21 0; ack 21"},
		{"masking a request takes INTR back", start + "raise 1; intr 1; out 21 2; intr 0"},
		{"an edge counts once", start + "raise 1; ack 21; out 20 20; intr 0; raise 1; intr 0; drop 1; raise 1; ack 21"},
		{"a level counts as long as it stands", start + "out 4d0 20; raise 5; ack 25; intr 0; out 20 20; ack 25; drop 5; out 20 20; intr 0"},
		{"LTIM makes all inputs level triggered", "out 20 1b; out 21 20; out 21 1; raise 1; ack 21; out 20 20; ack 21"},
		{"ELCR leaves the board's own lines alone", "out 4d0 ff; in 4d0 f8; out 4d1 ff; in 4d1 de"},
		{"input 0 is the highest", start + "raise 4; raise 1; raise 6; ack 21; out 20 20; ack 24; out 20 20; ack 26"},
		{"what is in service holds back its own and lower priorities", start + "raise 3; ack 23; raise 5; intr 0; raise 1; intr 1; ack 21; out 20 20; intr 0; out 20 20; ack 25"},
		{"ISR and IRR are read by OCW3's choice", start + "raise 3; in 20 8; ack 23; in 20 0; out 20 b; in 20 8; out 20 a; in 20 0"},
		{"a non-specific EOI ends the highest in service", start + "raise 3; ack 23; raise 1; ack 21; out 20 20; out 20 b; in 20 8; out 20 20; in 20 0"},
		{"a specific EOI ends the level named", start + "raise 3; ack 23; raise 1; ack 21; out 20 63; out 20 b; in 20 2"},
		{"rotation on a non-specific EOI makes it the lowest", start + "raise 1; raise 3; ack 21; out 20 a0; drop 1; raise 1; ack 23; out 20 20; ack 21"},
		{"rotation on a specific EOI", start + "raise 1; ack 21; raise 0; ack 20; out 20 e1; out 20 b; in 20 1; out 20 60; drop 1; raise 1; drop 0; raise 0; ack 20; out 20 60; ack 21"},
		{"set priority names the lowest", start + "out 20 c4; raise 4; raise 5; ack 25; out 20 20; ack 24"},
		{"OCW2 without effect", start + "raise 1; ack 21; out 20 40; out 20 b; in 20 2"},
		{"AEOI leaves nothing in service", "out 20 13; out 21 20; out 21 3; raise 3; ack 23; out 20 b; in 20 0; raise 5; ack 25"},
		{"rotation in AEOI mode", "out 20 13; out 21 20; out 21 3; out 20 80; raise 1; raise 2; ack 21; drop 1; raise 1; raise 0; ack 20; ack 21; out 20 0"},
		{"special mask mode lets lower priorities through", start + "raise 1; ack 21; raise 5; intr 0; out 21 2; intr 0; out 20 68; ack 25; out 20 48"},
		{"in special mask mode an EOI spares what is masked", start + "raise 1; ack 21; out 21 2; out 20 68; raise 5; ack 25; out 20 20; out 20 b; in 20 2; out 20 20; in 20 2; out 20 61; in 20 0"},
		{"without ESMM the special mask mode stays", start + "raise 1; ack 21; out 21 2; out 20 68; out 20 8; raise 5; intr 1"},
		{"a poll acknowledges", start + "raise 3; out 20 c; in 20 83; intr 0; out 20 b; in 20 8"},
		{"a poll finds nothing", start + "out 20 c; in 20 0; in 20 0"},
		{"a poll is answered at either port", start + "raise 3; out 20 c; in 21 83; in 21 0"},
		{"a poll comes before the register asked for with it", start + "raise 3; out 20 f; in 20 83; in 20 8"},
		{"the slave's vector comes from the slave", start + "raise c; ack 2c; out 20 b; in 20 4; out a0 b; in a0 10"},
		{"the slave's requests have input 2's priority", start + "raise 3; raise c; raise 1; ack 21; out 20 20; ack 2c; intr 0; out a0 20; intr 0; out 20 20; ack 23"},
		{"the master's mask closes the slave", start + "out 21 4; raise c; intr 0; out 21 0; ack 2c"},
		{"the slave's next request is an edge", start + "raise c; raise d; ack 2c; out a0 20; out 20 20; ack 2d"},
		{"a slave in AEOI mode makes an edge too", "out 20 11; out 21 20; out 21 4; out 21 1; out a0 11; out a1 28; out a1 2; out a1 3; raise c; raise d; ack 2c; intr 0; out 20 20; ack 2d"},
		{"fully nested: the slave's higher request waits", start + "raise c; ack 2c; raise 8; intr 0; out 20 20; ack 28"},
		{"special fully nested: the slave's higher request interrupts", "out 20 11; out 21 20; out 21 4; out 21 11; out a0 11; out a1 28; out a1 2; out a1 1; raise c; ack 2c; raise 3; intr 0; raise 8; ack 28"},
		{"special fully nested: other inputs nest as ever", "out 20 11; out 21 20; out 21 4; out 21 11; raise 3; ack 23; drop 3; raise 3; intr 0"},
		{"a slave with another number does not answer", "out 20 11; out 21 20; out 21 4; out 21 1; out a0 11; out a1 28; out a1 3; out a1 1; raise c; ack ff"},
		{"a request gone before the acknowledge is input 7", start + "raise 3; drop 3; ack 27; out 20 b; in 20 0; intr 0"},
		{"a slave's request gone is its input 7, and the master serves", start + "raise c; drop c; ack 2f; out a0 b; in a0 0; out 20 b; in 20 4"},
		{"a true request of input 7 is in service", start + "raise 7; ack 27; out 20 b; in 20 80"},
		{"line 2 is the slave's", start + "raise 2; intr 0"},
		{"polling the slave and the master", start + "raise c; out 20 c; in 20 82; out a0 c; in a0 84; intr 0"},
	} {
		t.Run(c.rule, func(t *testing.T) { newRig(t).play(t, c.script) })
	}
}

// Whatever is written, the outputs follow from the rest of the state or are
// left by a request that went away, and vectors stay within the bases.
func FuzzPIC(f *testing.F) {
	f.Add([]byte("\x00\x11\x01\x20\x01\x04\x01\x01\x02\x11\x03\x28\x03\x02\x03\x01\x06\x0c\x08\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newRig(t)
		ports := [...]uint16{0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1}
		for ; len(b) > 1; b = b[2:] {
			switch op, v := b[0]%10, b[1]; {
			case op < 6:
				r.m.Ports.Out(ports[op], 1, uint32(v))
				r.m.Ports.In(ports[op^v&1], 1)
			case op == 8:
				if r.m.PIC.asks() {
					r.m.PIC.ack()
				}
			default:
				r.m.PIC.SetIRQ(v&15, op == 6)
			}
			for _, c := range []*chip8259{&r.m.PIC.s.Master, &r.m.PIC.s.Slave} {
				if _, asks := c.request(); asks && !c.INT {
					t.Fatalf("a request without INT: %+v", *c)
				}
				if c.ISR != 0 && !c.Ready || c.Edges&^c.Lines != 0 || c.Lowest > 7 {
					t.Fatalf("impossible state: %+v", *c)
				}
			}
		}
	})
}
