package kvm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Requests of /dev/kvm. [Documentation/virt/kvm/api.rst of Linux]
const (
	getAPIVersion       = 0xae00
	createVM            = 0xae01
	getVCPUMmapSize     = 0xae04
	getSupportedCPUID   = 0xc008ae05
	createVCPU          = 0xae41
	setUserMemoryRegion = 0x4020ae46
	setTSSAddr          = 0xae47
	setIdentityMapAddr  = 0x4008ae48
	runVCPU             = 0xae80
	getRegs             = 0x8090ae81
	setRegs             = 0x4090ae82
	getSregs            = 0x8138ae83
	setSregs            = 0x4138ae84
	setDebugRegs        = 0x4080aea2
	setCPUID2           = 0x4008ae90
)

// Why KVM_RUN came back.
const (
	exitIO         = 2
	exitHLT        = 5
	exitMMIO       = 6
	exitShutdown   = 8
	exitFailEntry  = 9
	exitIntr       = 10
	exitInternal   = 17
	ioOut          = 1
	runImmediate   = 1 // offsets in struct kvm_run
	runReason      = 8
	runIODirection = 32
	runIOSize      = 33
	runIOPort      = 34
	runIOCount     = 36
	runIOData      = 40
	runSuberror    = 32
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
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&b[0])
	_, err := ioctl(fd, request, uintptr(addressOf(b)))
	return err
}

// machine is a virtual machine with one processor.
type machine struct {
	kvm, vm, cpu int
	ram          []byte
	shared       []byte // struct kvm_run
}

func newMachine() (m *machine, err error) {
	m = &machine{kvm: -1, vm: -1, cpu: -1}
	defer func() {
		if err != nil {
			m.close()
			m = nil
		}
	}()
	if m.kvm, err = open(); err != nil {
		return
	}
	fd, err := ioctl(m.kvm, createVM, 0)
	if err != nil {
		return m, fmt.Errorf("no virtual machine: %w", err)
	}
	m.vm = int(fd)
	// Places that the processor of an older host needs, beyond memory.
	ioctl(m.vm, setTSSAddr, 0xfffbd000)
	ioctlBytes(m.vm, setIdentityMapAddr, binary.LittleEndian.AppendUint64(nil, 0xfffbc000))
	if m.ram, err = unix.Mmap(-1, 0, ramSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS); err != nil {
		return
	}
	region := make([]byte, 32) // slot 0, flags 0, guest address 0, size, address
	binary.LittleEndian.PutUint64(region[16:], ramSize)
	binary.LittleEndian.PutUint64(region[24:], addressOf(m.ram))
	if err = ioctlBytes(m.vm, setUserMemoryRegion, region); err != nil {
		return m, fmt.Errorf("no memory for the machine: %w", err)
	}
	if fd, err = ioctl(m.vm, createVCPU, 0); err != nil {
		return m, fmt.Errorf("no processor for the machine: %w", err)
	}
	m.cpu = int(fd)
	size, err := ioctl(m.kvm, getVCPUMmapSize, 0)
	if err != nil {
		return
	}
	if m.shared, err = unix.Mmap(m.cpu, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return
	}
	return m, m.setCPUID()
}

// setCPUID gives the machine what the host has, but the width of physical
// addresses, which is that of our model "max".
func (m *machine) setCPUID() error {
	const most, size, physBits = 256, 40, 40
	le := binary.LittleEndian
	b := make([]byte, 8+most*size)
	le.PutUint32(b, most)
	if err := ioctlBytes(m.kvm, getSupportedCPUID, b); err != nil {
		return fmt.Errorf("KVM does not tell what its processors have: %w", err)
	}
	for i := range int(le.Uint32(b)) {
		if entry := b[8+i*size:]; le.Uint32(entry) == 0x80000008 {
			entry[12] = min(entry[12], physBits)
		}
	}
	if err := ioctlBytes(m.cpu, setCPUID2, b); err != nil {
		return fmt.Errorf("KVM does not take its own CPUID: %w", err)
	}
	return nil
}

// enter sets the processor to the state in which a multiboot loader leaves it.
func (m *machine) enter(entry, module, size uint32) error {
	const information = 0x1000
	le := binary.LittleEndian
	for i, v := range []uint32{8, 0, 0, 0, 0, 1, information + 32, 0, module, module + size, 0, 0} {
		le.PutUint32(m.ram[information+4*i:], v)
	}
	regs := make([]byte, 18*8)
	le.PutUint64(regs[0:], 0x2badb002)
	le.PutUint64(regs[8:], information) // RBX
	le.PutUint64(regs[16*8:], uint64(entry))
	le.PutUint64(regs[17*8:], 2)
	if err := ioctlBytes(m.cpu, setRegs, regs); err != nil {
		return fmt.Errorf("KVM does not take the registers: %w", err)
	}
	s := make([]byte, 312)
	if err := ioctlBytes(m.cpu, getSregs, s); err != nil {
		return fmt.Errorf("KVM does not tell the system registers: %w", err)
	}
	for i := range 6 { // CS DS ES FS GS SS
		segment, selector, kind := s[24*i:], uint16(0x10), byte(3)
		if i == 0 {
			selector, kind = 0x08, 11
		}
		le.PutUint64(segment, 0)
		le.PutUint32(segment[8:], 0xffffffff)
		le.PutUint16(segment[12:], selector)
		copy(segment[14:], []byte{kind, 1, 0, 1, 1, 0, 1, 0, 0}) // present, DPL, D/B, S, L, G, AVL, usable
	}
	const cr0 = 8*24 + 2*16
	le.PutUint64(s[cr0:], 0x11)
	if err := ioctlBytes(m.cpu, setSregs, s); err != nil {
		return fmt.Errorf("KVM does not take the system registers: %w", err)
	}
	return nil
}

// run runs the machine until out wants an end, it halts or shuts down, or ctx ends.
// out is given what goes to a port.
func (m *machine) run(ctx context.Context, out func(port uint16, data []byte) (end bool, err error)) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid, thread := unix.Getpid(), unix.Gettid()
	stop := context.AfterFunc(ctx, func() {
		m.shared[runImmediate] = 1
		unix.Tgkill(pid, thread, unix.SIGURG) // one that the runtime handles
	})
	defer stop()
	le := binary.LittleEndian
	for {
		if ctx.Err() != nil {
			return nil
		}
		if _, err := ioctl(m.cpu, runVCPU, 0); err != nil {
			if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
				continue
			}
			return fmt.Errorf("KVM has given up: %w", err)
		}
		switch reason := le.Uint32(m.shared[runReason:]); reason {
		case exitIO:
			at := le.Uint64(m.shared[runIOData:])
			n := uint64(m.shared[runIOSize]) * uint64(le.Uint32(m.shared[runIOCount:]))
			data := m.shared[at : at+n]
			if m.shared[runIODirection] != ioOut {
				for i := range data {
					data[i] = 0xff
				}
			} else if end, err := out(le.Uint16(m.shared[runIOPort:]), data); end || err != nil {
				return err
			}
		case exitShutdown, exitHLT:
			return nil
		case exitMMIO, exitIntr: // nobody there: what is read is 0
		case exitInternal:
			regs := make([]byte, 18*8)
			ioctlBytes(m.cpu, getRegs, regs)
			return fmt.Errorf("KVM lacks what it had to emulate at %#x (internal error %d)", le.Uint64(regs[16*8:]), le.Uint32(m.shared[runSuberror:]))
		default:
			return fmt.Errorf("KVM has stopped the machine (exit %d)", reason)
		}
	}
}

func (m *machine) close() {
	if m.shared != nil {
		unix.Munmap(m.shared)
	}
	for _, fd := range []int{m.cpu, m.vm, m.kvm} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	if m.ram != nil {
		unix.Munmap(m.ram)
	}
}
