package diff

// Placed are the patches that put the case's code into the arena; what lies in
// pages that the world does not map is left out.
func (x *Context) Placed() []Patch {
	var patches []Patch
	linear, code := codeLinear(x.Case.Regs.RIP, x.CS, x.Mode), x.Case.Code
	for len(code) > 0 {
		n := min(len(code), PageSize-int(linear%PageSize))
		if at, ok := x.World.Offset(linear); ok {
			patches = append(patches, Patch{at, code[:n]})
		}
		code, linear = code[n:], linear+uint64(n)
	}
	return patches
}
