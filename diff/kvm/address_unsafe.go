//go:build linux && amd64

package kvm

import "unsafe"

// addressOf is where b lies: memory from Mmap, or pinned.
func addressOf(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&b[0]))) }
