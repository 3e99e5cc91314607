package peers

import (
	"x86emu/diff"
	"x86emu/diff/model"
)

// delivery are the rows of deliveries, returns and far transfers. Most cases meet
// several of them: the model foretells them together.
var delivery = append(oddities("QEMU", "qemu", model.QEMU), oddities("Bochs", "bochs", model.Bochs)...)

// oddities makes the rows of a peer.
func oddities(peer, oracle string, set model.Oddities) (rows []diff.Row) {
	name := func(o model.Oddity) string { return peer + ": " + o.Name() }
	group := &diff.Group{Predict: func(x *diff.Context, r *diff.Result) (names []string) {
		if x.Case.Kind != diff.Delivery || x.Case.Event == nil {
			return nil
		}
		// The right answer must be the model's too.
		right, _ := model.Odd(x.Case, 0)
		if x.Compare(&right, r, diff.AllFields, &diff.Mask{}) != 0 {
			return nil
		}
		answer, met := model.Odd(x.Case, set)
		if answer.End == diff.Silent {
			return nil
		}
		*r = answer
		for _, o := range met.List() {
			names = append(names, name(o))
		}
		return names
	}}
	for _, o := range set.List() {
		rows = append(rows, diff.Row{Name: name(o), Oracles: []string{oracle}, Cite: o.Cite(), Group: group})
	}
	return rows
}
