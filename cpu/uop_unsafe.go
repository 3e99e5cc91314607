package cpu

import "unsafe"

// next gives the uop behind u in its block. Every block ends with a uop that
// leaves the block, so the run loop needs neither an index nor a bound.
func (u *uop) next() *uop { return (*uop)(unsafe.Add(unsafe.Pointer(u), unsafe.Sizeof(uop{}))) }
