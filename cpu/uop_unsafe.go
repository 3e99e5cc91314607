package cpu

import "unsafe"

// next gives the uop behind u in its block. Every block ends with a uop that
// leaves the block, so the run loop needs neither an index nor a bound.
func (u *uop) next() *uop { return (*uop)(unsafe.Add(unsafe.Pointer(u), unsafe.Sizeof(uop{}))) }

// index and uop turn a uop of the block into its place in bytes and back: that is what
// the run loop keeps across a call, for the reason that slow.go tells.
func (b *block) index(u *uop) uintptr {
	return uintptr(unsafe.Pointer(u)) - uintptr(unsafe.Pointer(unsafe.SliceData(b.uops)))
}

func (b *block) uop(i uintptr) *uop {
	return (*uop)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b.uops)), i))
}
