package idt

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/decode"
)

// hardwareWorld has the descriptors that testdata/hw-segments.txt describes.
func hardwareWorld(t *testing.T) *world {
	w := newWorld(t, long64)
	code32, data := attrCode|dpl(3)|AttrDB|AttrG, attrData|dpl(3)|AttrDB|AttrG
	code64 := attrCode | AttrL | AttrG
	for i, d := range []uint64{
		2: desc(0, 0xfffff, code64),
		3: desc(0, 0xfffff, attrData|AttrDB|AttrG),
		4: desc(0, 0xfffff, code32),
		5: desc(0, 0xfffff, data),
		6: desc(0, 0xfffff, code64|dpl(3)),
		8: desc(tssAt, 0x67, AttrPresent|typeBusy32),
		9: 0, 10: desc(ldtAt, 0x4f, AttrPresent|typeLDT), 11: 0,
	} {
		w.gdt(uint16(i*8), d)
	}
	w.r.GDTR.Limit = 0x7f
	for i, d := range []uint64{
		0: desc(0, 0xfffff, data),
		1: desc(0, 0xfffff, data&^AttrWritable),
		2: desc(0, 0xfffff, code32),
		3: desc(0, 0xfffff, data&^AttrPresent),
		4: desc(0, 0xfffff, code32&^AttrPresent),
		5: desc(0, 0xfff, (data|AttrDown)&^AttrG),
		6: desc(0, 0xfffff, code32&^AttrWritable),
		7: desc(0, 0xfffff, (code32|AttrDown)&^AttrPresent),
		8: desc(0, 0xfff, code32&^AttrG),
		9: 0,
	} {
		w.poke(ldtAt+uint64(i)*8, 8, d)
	}
	w.r.LDTR.Limit = 0x4f
	w.r.CPL = 3
	w.load(decode.CS, 0x33)
	w.load(decode.SS, 0x2b)
	w.g[4] = stack3 - 0x100
	return w
}

// TestHardwareSegments replays what silicon did.
func TestHardwareSegments(t *testing.T) {
	f, err := os.Open("testdata/hw-segments.txt")
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	n := 0
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		var op, want string
		var sel, ss uint16
		var code uint32
		_, err := fmt.Sscanf(line, "%s %x %x %s %x", &op, &sel, &ss, &want, &code)
		require.NoError(t, err, line)
		w := hardwareWorld(t)
		w.stackWords(8, handler, uint64(sel), Flag1|FlagIF, stack3, uint64(ss))
		var ev Event
		var ok bool
		switch op {
		case "mov-ds":
			ev, ok = told(LoadSegment(w.fake, decode.DS, sel))
		case "mov-ss":
			ev, ok = told(LoadSegment(w.fake, decode.SS, sel))
		case "lretq":
			ev, ok = told(FarRet(w.fake, 0, 8))
		case "iretq":
			ev, ok = told(IRET(w.fake, 8, 0))
		}
		if want != "ok" {
			want = fmt.Sprintf("%s(%#x)", want, code)
		}
		assert.Equal(t, want, short(ev, ok), line)
		n++
	}
	require.NoError(t, lines.Err())
	assert.Equal(t, 204, n)
}
