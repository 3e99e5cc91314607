package machine_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"testing"

	"x86emu/guest"
	"x86emu/machine"
	"x86emu/mmu"
)

// decodeHex is a guest's function: it decodes the hexadecimal digits at ESI, up to
// a zero byte, to EDI and gives the number of bytes in EAX, or -1.
//
//	call decode; hlt
//	decode: xor eax,eax; cld
//	next:   movzx ecx,byte [esi]; test cl,cl; jz done
//	        call digit; mov dl,cl; shl dl,4; call digit; or dl,cl
//	        mov [edi],dl; inc edi; inc eax; jmp next
//	digit:  movzx ecx,byte [esi]; inc esi; sub cl,'0'; cmp cl,10; jb done
//	        or cl,0x20; sub cl,'a'-'0'; cmp cl,6; jae bad; add cl,10
//	done:   ret
//	bad:    pop ecx; or eax,-1; ret
const decodeHex = "e801000000f431c0fc0fb60e84c97431e81200000088cac0e204e80800000008ca88174740" +
	"ebe20fb60e4680e93080f90a720e80c92080e93180f906730480c10ac35983c8ffc3"

// FuzzGuestFunction drives a function of a guest from Go's fuzzer and holds it to
// another implementation. The machine returns to the moment before the call for
// each input, so that a run costs microseconds and leaves nothing behind.
func FuzzGuestFunction(f *testing.F) {
	const input, output = 0x200000, 0x300000
	code, err := hex.DecodeString(decodeHex)
	if err != nil {
		f.Fatal(err)
	}
	m := load(machine.Config{}, string(code), guest.Mode32)
	m.CPU.GPR()[6], m.CPU.GPR()[7] = input, output
	called := m.Moment()
	f.Add([]byte("0123456789abcdefABCDEF"))
	f.Add([]byte("0g"))
	f.Add([]byte("abc"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4096 || bytes.IndexByte(text, 0) >= 0 {
			t.Skip("no text of the guest's")
		}
		m.Return(called)
		m.Mem.WriteBytes(input, append(text, 0))
		result, err := m.Run(context.Background(), 1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		if result.Reason != machine.Halted {
			t.Fatalf("%q: the guest does not come back: %s", text, result.Reason)
		}
		got := make([]byte, len(text)/2)
		n := int32(m.CPU.GPR()[0])
		want, err := hex.DecodeString(string(text))
		if (n < 0) != (err != nil) {
			t.Fatalf("%q: the guest says %d, Go %v", text, n, err)
		}
		if n < 0 {
			return
		}
		if m.Mem.ReadBytes(mmu.Phys(output), got); int(n) != len(want) || !bytes.Equal(got, want) {
			t.Fatalf("%q: the guest decodes %x, Go %x", text, got, want)
		}
	})
}
