//go:build linux && amd64

package kvm

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

func ioctl(fd int, request, arg uintptr) (uintptr, error) {
	r, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, arg)
	if errno != 0 {
		return r, errno
	}
	return r, nil
}

// ioctlBytes hands KVM a struct.
func ioctlBytes(fd int, request uintptr, b []byte) error {
	_, err := ioctl(fd, request, uintptr(unsafe.Pointer(&b[0])))
	runtime.KeepAlive(b)
	return err
}

// addressOf is where memory from Mmap lies; it stays there.
func addressOf(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&b[0]))) }
