package mmu

import "testing"

// What a page costs that is shared when a store meets it: the copy, and what the
// heap does for it.
func BenchmarkCopyOnWrite(b *testing.B) {
	const pages = 8192
	m := NewMemory(pages*PageSize, 36)
	for p := Phys(0); p < pages*PageSize; p += PageSize {
		m.Write(p, 1, 1)
	}
	var kept [4]*Memory
	n := 0
	for b.Loop() {
		kept[n%len(kept)] = m.Fork()
		n++
		for p := Phys(0); p < pages*PageSize; p += PageSize {
			m.Write(p, 1, 2)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/pages, "ns/page")
}
