package decode

import (
	"encoding/hex"
	"testing"
)

// benchCode is a mix as compilers emit it, one instruction each.
var benchCode = []string{
	"4889e5", "0fb6c8", "80e480", "e8fcffffff", "48c7c0ffffffff", "488d3df2ffffff", "f00fb10b", "8b45fc",
	"48894424f8", "75fe", "c3", "55", "5d", "4883ec20", "488b84c800100000", "f348ab", "c1e004",
}

func benchBytes(tb testing.TB) [][]byte {
	var all [][]byte
	for _, c := range benchCode {
		b, err := hex.DecodeString(c)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, append(b, make([]byte, MaxLen-len(b))...))
	}
	return all
}

func BenchmarkDecode(b *testing.B) {
	src := benchBytes(b)
	d := Decoder{Features: FeatAll}
	var in Inst
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d.Decode(&in, src[i%len(src)], Mode64)
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	src := benchBytes(t)
	d := Decoder{Features: FeatAll}
	var in Inst
	n := testing.AllocsPerRun(100, func() {
		for _, b := range src {
			d.Decode(&in, b, Mode64)
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
