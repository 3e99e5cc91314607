package main

import (
	"context"
	"flag"
	"fmt"
	"sort"
	"time"

	"x86emu/diff"
	"x86emu/diff/gen"
	"x86emu/diff/model"
)

func show(c *diff.Case, x *diff.Context, r *diff.Result) {
	fmt.Printf("  end=%d v=%d err=%v/%x cr2=%x note=%q\n", r.End, r.Vector, r.HasError, r.Error, r.CR2, r.Note)
	g := r.Regs
	fmt.Printf("  rip=%x fl=%x sp=%x seg=%x ldtr=%x tr=%x cr0=%x CR2=%x dr7=%x dr6=%x rax=%x fsb=%x gsb=%x\n", g.RIP, g.RFLAGS, g.GPR[4], g.Seg, g.LDTR, g.TR, g.CR0, g.CR2, g.DR[7], g.DR[6], g.GPR[0], g.FSBase, g.GSBase)
	for i, w := range r.Mem {
		if i > 12 {
			break
		}
		fmt.Printf("  [%x]=%016x (was %016x)\n", w.At, w.Value, x.Start(w.At))
	}
}

func main() {
	n := flag.Int("n", 20000, "")
	seed := flag.Uint64("seed", 1, "")
	one := flag.Int("one", -1, "")
	show1 := flag.Int("show", 5, "")
	first := flag.Int("from", 0, "")
	flag.Parse()
	emu, mod := diff.NewEmu(false), model.New()
	g := gen.NewDelivery()
	var te, tm time.Duration
	ends := map[string]int{}
	diffs := map[string]int{}
	shown := 0
	for i := *first; i < *first+*n; i++ {
		if *one >= 0 {
			i = *one
		}
		c := diff.MakeCase(g, *seed, uint64(i))
		var a, b [1]diff.Result
		t0 := time.Now()
		if err := emu.Run(context.Background(), []*diff.Case{c}, a[:]); err != nil {
			panic(err)
		}
		t1 := time.Now()
		if err := mod.Run(context.Background(), []*diff.Case{c}, b[:]); err != nil {
			panic(err)
		}
		te += t1.Sub(t0)
		tm += time.Since(t1)
		x, err := diff.NewContext(c)
		if err != nil {
			panic(err)
		}
		ends[fmt.Sprintf("emu end %d", a[0].End)]++
		ends[fmt.Sprintf("model end %d %s", b[0].End, b[0].Note)]++
		if a[0].End == diff.Trapped && a[0].Vector < 32 {
			ends[fmt.Sprintf("vector %02x", a[0].Vector)]++
		}
		m := diff.Mask{}
		d := x.Compare(&a[0], &b[0], diff.AllFields, &m)
		if b[0].End == diff.Silent {
			d = 1 << 15
		}
		if d != 0 {
			diffs[fmt.Sprintf("%x", d)]++
		}
		if d != 0 && shown < *show1 || *one >= 0 {
			shown++
			fmt.Printf("%s %s %s: fields %x code % x event %+v\n", c.ID, c.World, c.Rule, d, c.Code, *c.Event)
			fmt.Printf(" regs rip=%x sp=%x fl=%x seg=%x\n", c.Regs.RIP, c.Regs.GPR[4], c.Regs.RFLAGS, c.Regs.Seg)
			for _, p := range c.Patches {
				fmt.Printf("   patch %x: % x\n", p.At, p.Bytes)
			}
			show(c, x, &a[0])
			show(c, x, &b[0])
		}
		if *one >= 0 {
			break
		}
	}
	var keys []string
	for k := range ends {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Println(k, ends[k])
	}
	fmt.Println("diffs", diffs)
	fmt.Println("emu", te, "model", tm)
}
