package machine

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"reflect"

	"x86emu/cpu"
	"x86emu/mmu"
)

// A snapshot file, numbers little-endian:
//
//	magic    8 bytes
//	version  4 bytes
//	payload  a zlib stream:
//	    layout    8 bytes: a hash over the types of all that follows
//	    model     1 byte length, name
//	    RAM       8 bytes, TLB off 1 byte
//	    State     of the processor
//	    TLB       4 bytes count, entries
//	    timers    8 bytes each
//	    devices   their states
//	    pages     address 8 bytes, 4096 bytes each; pages of zeros are left out
//	    end       8 bytes of ones
//	checksum SHA-256 of the payload before compression
//
// The layout hash refuses a file whose State or devices have other fields than
// this build's, also where the version was forgotten.
const snapshotMagic = "x86emu\x1a\n"

// SnapshotVersion is the version of the files that Save writes and Restore reads.
const SnapshotVersion = 1

const endOfPages = ^uint64(0)

// Save writes the machine's whole state.
func (m *Machine) Save(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString(snapshotMagic)
	b.Write(binary.LittleEndian.AppendUint32(nil, SnapshotVersion))
	sum := sha256.New()
	z := zlib.NewWriter(b)
	p := io.MultiWriter(z, sum)

	var h bytes.Buffer
	put := func(v any) {
		if err := binary.Write(&h, binary.LittleEndian, v); err != nil {
			panic("BUG: " + err.Error())
		}
	}
	put(m.layout())
	put(uint8(len(m.cfg.Model.Name)))
	h.WriteString(m.cfg.Model.Name)
	put(m.cfg.RAM)
	put(m.cfg.TLBOff)
	put(m.CPU.State())
	tlb := m.MMU.TLB()
	put(uint32(len(tlb)))
	put(tlb)
	put(m.Clock.save())
	for _, d := range m.devices {
		put(stateOf(d))
	}
	if _, err := p.Write(h.Bytes()); err != nil {
		return err
	}
	var head [8]byte
	for at, page := range m.Mem.Pages() {
		if *page == (mmu.Page{}) {
			continue
		}
		binary.LittleEndian.PutUint64(head[:], uint64(at))
		if _, err := p.Write(head[:]); err != nil {
			return err
		}
		if _, err := p.Write(page[:]); err != nil {
			return err
		}
	}
	binary.LittleEndian.PutUint64(head[:], endOfPages)
	if _, err := p.Write(head[:]); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	b.Write(sum.Sum(nil))
	return b.Flush()
}

// Restore makes a machine from a snapshot. cfg gives what is the host's:
// streams, Extra, and in RAM the most that the snapshot may ask for (default
// MaxRAM); model, RAM and TLB come from the file. The serial input is taken
// from its beginning: what was received before is not in the file. It refuses what is not a
// whole and undamaged snapshot of this version, and allocates no more than the
// guest RAM that the file holds.
func Restore(r io.Reader, cfg Config) (*Machine, error) {
	m, err := restore(bufio.NewReader(r), cfg)
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("snapshot: the file is truncated")
	case errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrChecksum), errors.Is(err, zlib.ErrDictionary), errors.As(err, new(flate.CorruptInputError)):
		return nil, errors.New("snapshot: the file is damaged")
	}
	return nil, fmt.Errorf("snapshot: %w", err)
}

func restore(r *bufio.Reader, cfg Config) (*Machine, error) {
	var head [len(snapshotMagic) + 4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if string(head[:len(snapshotMagic)]) != snapshotMagic {
		return nil, errors.New("not a snapshot file")
	}
	if v := binary.LittleEndian.Uint32(head[len(snapshotMagic):]); v != SnapshotVersion {
		return nil, fmt.Errorf("the file has version %d, this build reads version %d", v, SnapshotVersion)
	}
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	m, err := restorePayload(io.TeeReader(z, sum), cfg)
	if err != nil {
		return nil, err
	}
	// The stream's own end, with zlib's checksum.
	if n, err := z.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return nil, errDamaged
	}
	want := make([]byte, sha256.Size)
	if _, err := io.ReadFull(r, want); err != nil {
		return nil, err
	}
	if !bytes.Equal(want, sum.Sum(nil)) {
		return nil, errDamaged
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return nil, errors.New("bytes follow the snapshot")
	}
	return m, nil
}

var errDamaged = errors.New("the file is damaged")

func restorePayload(r io.Reader, cfg Config) (*Machine, error) {
	get := func(v any) error { return binary.Read(r, binary.LittleEndian, v) }
	var layout uint64
	var n uint8
	if err := errors.Join(get(&layout), get(&n)); err != nil {
		return nil, err
	}
	name := make([]byte, n)
	if _, err := io.ReadFull(r, name); err != nil {
		return nil, err
	}
	most := cfg.RAM
	if most == 0 {
		most = MaxRAM
	}
	if err := errors.Join(get(&cfg.RAM), get(&cfg.TLBOff)); err != nil {
		return nil, err
	}
	if cfg.RAM > most {
		return nil, fmt.Errorf("it has %d MiB of RAM, more than the %d MiB allowed", cfg.RAM>>20, most>>20)
	}
	var known bool
	if cfg.Model, known = cpu.ModelByName(string(name)); !known {
		return nil, fmt.Errorf("unknown CPU model %q", name)
	}
	m, err := New(cfg)
	if err != nil {
		return nil, err
	}
	if m.layout() != layout {
		return nil, errors.New("it was written by another build or for another board")
	}
	var s cpu.State
	var entries uint32
	if err := errors.Join(get(&s), get(&entries)); err != nil {
		return nil, err
	}
	if entries > mmu.Slots {
		return nil, errDamaged
	}
	tlb := make([]mmu.Entry, entries)
	timers := make([]uint64, len(m.Clock.timers))
	if err := errors.Join(get(tlb), get(timers)); err != nil {
		return nil, err
	}
	for _, d := range m.devices {
		if err := get(d.State()); err != nil {
			return nil, err
		}
	}
	if err := m.restorePages(r); err != nil {
		return nil, err
	}
	m.CPU.SetState(s)
	m.MMU.SetTLB(tlb)
	m.Clock.load(timers)
	return m, nil
}

// restorePages reads the pages of RAM and ROM, in rising order.
func (m *Machine) restorePages(r io.Reader) error {
	var head [8]byte
	var page mmu.Page
	m.Mem.ClearRAM()
	for next := uint64(0); ; {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		at := binary.LittleEndian.Uint64(head[:])
		if at == endOfPages {
			return nil
		}
		if at < next || at%mmu.PageSize != 0 {
			return errDamaged
		}
		next = at + mmu.PageSize
		if _, err := io.ReadFull(r, page[:]); err != nil {
			return err
		}
		if !m.Mem.SetPage(mmu.Phys(at), &page) {
			return errDamaged
		}
	}
}

// layout hashes the types of the saved state.
func (m *Machine) layout() uint64 {
	h := fnv.New64a()
	describeType(h, reflect.TypeFor[cpu.State]())
	describeType(h, reflect.TypeFor[mmu.Entry]())
	fmt.Fprintf(h, "timers %d\n", len(m.Clock.timers))
	for _, d := range m.devices {
		fmt.Fprintf(h, "device %s\n", d.Name())
		describeType(h, reflect.TypeOf(d.State()).Elem())
	}
	return h.Sum64()
}

// describeType writes the names and kinds of a type's fields, in order.
func describeType(w io.Writer, t reflect.Type) {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			fmt.Fprintf(w, "%s{", t.Field(i).Name)
			describeType(w, t.Field(i).Type)
			fmt.Fprint(w, "}")
		}
	case reflect.Array:
		fmt.Fprintf(w, "[%d]", t.Len())
		describeType(w, t.Elem())
	default:
		fmt.Fprint(w, t.Kind())
	}
}

// setState copies a device's state from its twin.
func setState(to, from Device) {
	reflect.ValueOf(to.State()).Elem().Set(reflect.ValueOf(from.State()).Elem())
}

// stateOf gives a device's state as a comparable value.
func stateOf(d Device) any { return reflect.ValueOf(d.State()).Elem().Interface() }
