package decode

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// objdumpDiffers names the differences from objdump that are meant: text is
// objdump's line without prefixes that stand alone.
var objdumpDiffers = []struct {
	why  string
	hits func(in *Inst, st Status, text string) bool
}{
	{"objdump ends a line before a prefix or REX that changes nothing", func(in *Inst, st Status, text string) bool {
		words := strings.Fields(text)
		last := words[len(words)-1]
		return strings.HasPrefix(last, "rex") || barePrefix[last]
	}},
	{"objdump joins FWAIT to what follows", func(in *Inst, st Status, text string) bool {
		return in.Op == FWAIT
	}},
	{"objdump takes LOCK anywhere", func(in *Inst, st Status, text string) bool {
		return st == Undef && in.Prefix&PrefixLock != 0
	}},
	{"VEX, EVEX and XOP are #UD", func(in *Inst, st Status, text string) bool {
		return st == Undef && in.Map == 0 && (shapes[0][in.Opcode]&vexEscape != 0 || in.Opcode == 0x8f)
	}},
	{"objdump does not know the aliases of x87 and SALC", func(in *Inst, st Status, text string) bool {
		return st == OK && in.Map == 0 && (in.Opcode>>3 == 0xd8>>3 || in.Opcode == 0xd6)
	}},
	{"objdump moves to CS and to registers that do not exist", func(in *Inst, st Status, text string) bool {
		return st == Undef && strings.HasPrefix(text, "mov ")
	}},
	{"hints that objdump names or refuses are NOPs", func(in *Inst, st Status, text string) bool {
		return in.Op == NOP
	}},
	{"instructions that no model has", func(in *Inst, st Status, text string) bool {
		return st == Undef && absent.MatchString(text)
	}},
	{"SYSCALL outside 64-bit mode is AMD's", func(in *Inst, st Status, text string) bool {
		return st == Undef && in.Mode != Mode64 && in.Map == 1 && (in.Opcode == 5 || in.Opcode == 7)
	}},
	{"objdump ignores a mandatory prefix that has no meaning", func(in *Inst, st Status, text string) bool {
		return st == Undef && in.Map > 0 && in.Prefix&(PrefixRep|PrefixRepne|PrefixOpSize) != 0
	}},
	{"3DNow! is #UD", func(in *Inst, st Status, text string) bool {
		return st == Undef && in.Map == 1 && in.Opcode == 0x0f
	}},
	{"a prefix that WBINVD, BSF and BSR ignore, as an AMD EPYC does", func(in *Inst, st Status, text string) bool {
		return st == OK && text == undefText && (in.Op == WBINVD || in.Op == BSF || in.Op == BSR)
	}},
	{"objdump says (bad) for an x87 or prefixed encoding in its own length", func(in *Inst, st Status, text string) bool {
		return strings.Contains(text, "(bad)") && st == Undef
	}},
}

var barePrefix = map[string]bool{"lock": true, "repz": true, "repnz": true, "data16": true, "data32": true,
	"addr16": true, "addr32": true, "cs": true, "ds": true, "es": true, "ss": true, "fs": true, "gs": true}

// absent matches the mnemonics of what neither x86asm nor the supplement has.
var absent = regexp.MustCompile(`^(getsec|femms|frstpm|extrq|insertq|movntss|movntsd|xstore|xcrypt|xsha|montmul|` +
	`wrss|wruss|saveprevssp|rstorssp|setssbsy|encodekey|aesenc|aesdec|loadiwkey|gf2p8|pconfig|enclv|seam|tdcall|` +
	`uiret|testui|clui|stui|senduipi|bnd|mcommit|psmash|pvalidate|rmp|invlpgb|tlbsync|vmgexit|vmfunc|xsusldtrk|xresldtrk|hreset|cldemote)`)

var boringPrefix = regexp.MustCompile(`^((data16|data32|addr32|addr16|rex\.?[WRXB]*|cs|ds|es|ss|fs|gs|repz|repnz|rep|bnd|notrack|xacquire|xrelease|lock) )+`)

// TestLengthsAgreeWithObjdump sends random bytes through objdump in all modes.
func TestLengthsAgreeWithObjdump(t *testing.T) {
	tool, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("objdump is not installed")
	}
	if help, _ := exec.Command(tool, "--help").CombinedOutput(); !bytes.Contains(help, []byte("i8086")) && !bytes.Contains(help, []byte("elf64-x86-64")) {
		t.Skip("objdump does not know x86")
	}
	for mode, machine := range map[Mode]string{Mode16: "i8086", Mode32: "i386", Mode64: "i386:x86-64"} {
		t.Run(machine, func(t *testing.T) { compareObjdump(t, tool, mode, machine) })
	}
}

func compareObjdump(t *testing.T, tool string, mode Mode, machine string) {
	code := randomCode(rand.New(rand.NewSource(int64(mode))), 6000)
	name := filepath.Join(t.TempDir(), "code.bin")
	require.NoError(t, os.WriteFile(name, code, 0o600))
	out, err := exec.Command(tool, "-D", "-w", "-b", "binary", "-m", machine, "-M", "intel,intel64", name).Output()
	require.NoError(t, err)
	code = append(code, make([]byte, MaxLen)...)
	d := Decoder{Features: FeatAll}
	n, why := 0, map[string]int{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		field := strings.SplitN(s.Text(), "\t", 3)
		if len(field) < 3 {
			continue
		}
		pc, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(field[0]), ":"), 16, 32)
		if err != nil || pc >= uint64(len(code)-2*MaxLen) {
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(field[1]), " ", ""))
		require.NoError(t, err)
		text := strings.TrimSpace(field[2])
		var in Inst
		st := d.Decode(&in, code[pc:pc+MaxLen], mode)
		n++
		if st == OK && int(in.Len) == len(b) && !strings.Contains(text, "(bad)") || st == Undef && text == undefText {
			continue
		}
		if st == TooLong && len(b) <= MaxLen {
			why["objdump cuts what is longer than 15 bytes"]++
			continue
		}
		reason, plain := "", boringPrefix.ReplaceAllString(text, "")
		for _, x := range objdumpDiffers {
			if x.hits(&in, st, plain) {
				reason = x.why
				break
			}
		}
		if why[reason]++; reason == "" && why[""] < 20 {
			t.Errorf("% x: status %d, %s, length %d; objdump %q, length %d", code[pc:pc+MaxLen], st, in.Intel(pc), in.Len, text, len(b))
		}
	}
	require.Greater(t, n, 1000)
	t.Log(n, "instructions;", fmt.Sprint(why))
}

// randomCode makes n pieces of 16 bytes that begin like instructions and end in NOPs.
func randomCode(r *rand.Rand, n int) (code []byte) {
	prefixes := []byte{0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x64, 0x65, 0xf0}
	for range n {
		var b []byte
		for range r.Intn(3) {
			b = append(b, prefixes[r.Intn(len(prefixes))])
		}
		if r.Intn(3) == 0 {
			b = append(b, 0x40|byte(r.Intn(16)))
		}
		if r.Intn(2) == 0 {
			b = append(b, 0x0f)
		}
		for len(b) < 12 {
			b = append(b, byte(r.Intn(256)))
		}
		for len(b) < 16 {
			b = append(b, 0x90)
		}
		code = append(code, b...)
	}
	return code
}
