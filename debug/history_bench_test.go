package debug

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"x86emu/guest"
	"x86emu/machine"
)

// storing is a loop that computes, and stores all over 1 MiB:
//
//	l: inc ecx; mov eax,ecx; imul eax,eax,0x9e3779b1; shr eax,12
//	   mov [eax+0x100000],cl; add edx,eax; xor edx,ecx; jmp l
const storing = "\x41\x89\xc8\x69\xc0\xb1\x79\x37\x9e\xc1\xe8\x0c\x88\x88\x00\x00\x10\x00\x01\xc2\x31\xca\xeb\xe8"

// thrashing is the same over 32 MiB, of which it stores into every page again
// and again: what a history costs at its worst.
const thrashing = "\x41\x89\xc8\x69\xc0\xb1\x79\x37\x9e\xc1\xe8\x07\x88\x88\x00\x00\x10\x00\x01\xc2\x31\xca\xeb\xe8"

// sweeping stores into every page of 64 MiB in turn, a page every 5 instructions:
// about as much as a history can keep up with.
//
//	l: inc ecx; mov eax,ecx; shl eax,12; and eax,0x3ffffff; mov [eax+0x100000],cl; jmp l
const sweeping = "\x41\x89\xc8\xc1\xe0\x0c\x25\xff\xff\xff\x03\x88\x88\x00\x00\x10\x00\xeb\xed"

// counted is a loop that stores nothing: inc ecx; add edx,ecx; xor eax,edx; jmp l
const counted = "\x41\x01\xca\x31\xd0\xeb\xf9"

var workloads = []struct{ name, code string }{{"computes", counted}, {"stores-1M", storing}, {"stores-32M", thrashing}, {"sweeps-64M", sweeping}}

// What being able to go back costs the forward run, in percent of processor
// time. Plain and recorded runs take turns, so that both meet the same host.
func BenchmarkHistoryForward(b *testing.B) {
	for _, c := range workloads {
		b.Run(c.name, func(b *testing.B) {
			const stretch = 50_000_000
			cfg := machine.Config{RAM: 80 << 20}
			plain, m := loadInto(b, cfg, guest.Mode32, c.code), loadInto(b, cfg, guest.Mode32, c.code)
			h := NewHistory(m, DefaultHistory)
			var times [2]time.Duration
			for b.Loop() {
				begin := used()
				_, err := plain.Run(context.Background(), stretch)
				require.NoError(b, err)
				half := used()
				_, err = h.Run(context.Background(), stretch)
				require.NoError(b, err)
				times[0] += half - begin
				times[1] += used() - half
			}
			b.ReportMetric(100*(times[1]-times[0]).Seconds()/times[0].Seconds(), "%slower")
			b.ReportMetric(float64(b.N)*stretch/times[0].Seconds()/1e6, "MIPS")
			b.ReportMetric(float64(h.Size())/(1<<20), "MiB")
		})
	}
}

// One step back from the present: the first one, which replays from the nearest
// moment of the forward run, and the next ones.
func BenchmarkStepBack(b *testing.B) {
	for _, after := range []struct {
		name  string
		ticks uint64
	}{{"after-100M", 100_000_000}, {"after-10G", 10_000_000_000}} {
		for _, c := range workloads {
			b.Run(after.name+"/"+c.name, func(b *testing.B) {
				h := NewHistory(loadInto(b, machine.Config{RAM: 80 << 20}, guest.Mode32, c.code), DefaultHistory)
				_, err := h.Run(context.Background(), after.ticks)
				require.NoError(b, err)
				begin, cpu := time.Now(), used()
				_, err = h.StepBack(context.Background(), 1)
				require.NoError(b, err)
				first, cpu := time.Since(begin), used()-cpu
				for b.Loop() {
					_, err := h.StepBack(context.Background(), 1)
					require.NoError(b, err)
				}
				b.ReportMetric(float64(first.Microseconds())/1000, "ms/first")
				b.ReportMetric(float64(cpu.Microseconds())/1000, "cpu-ms/first")
				b.ReportMetric(float64(len(h.points)), "moments")
				b.ReportMetric(float64(h.Size())/(1<<20), "MiB")
			})
		}
	}
}
