package sst

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

var le = binary.LittleEndian

var errShort = errors.New("a chunk ends inside of a field")

// parseMOO reads a whole file. Chunks that are not known are skipped.
func parseMOO(b []byte) (*File, error) {
	f := new(File)
	err := chunks(b, func(id string, b []byte) error {
		switch id {
		case "MOO ":
			if len(b) < 12 {
				return errShort
			}
			if b[0] != 1 {
				return fmt.Errorf("version %d of MOO: this reads version 1", b[0])
			}
			f.CPU = strings.TrimRight(string(b[8:12]), " \x00")
		case "RMSK", "RM32":
			return parseRegs(id, b, &f.Mask.Has, &f.Mask.Regs)
		case "TEST":
			t, err := parseTest(b)
			if err != nil {
				return fmt.Errorf("test %d: %w", len(f.Tests), err)
			}
			f.Tests = append(f.Tests, *t)
		}
		return nil
	})
	return f, err
}

// chunks calls visit for every chunk.
func chunks(b []byte, visit func(id string, b []byte) error) error {
	for len(b) > 0 {
		if len(b) < 8 {
			return errShort
		}
		n := le.Uint32(b[4:])
		if uint64(n) > uint64(len(b)-8) {
			return fmt.Errorf("chunk %q of %d bytes reaches beyond its end", b[:4], n)
		}
		if err := visit(string(b[:4]), b[8:8+n]); err != nil {
			return err
		}
		b = b[8+n:]
	}
	return nil
}

func parseTest(b []byte) (*Test, error) {
	if len(b) < 4 {
		return nil, errShort
	}
	t := &Test{Index: int(le.Uint32(b))}
	err := chunks(b[4:], func(id string, b []byte) (err error) {
		switch id {
		case "NAME":
			var s []byte
			s, err = counted(b)
			t.Name = string(s)
		case "BYTS":
			t.Bytes, err = counted(b)
		case "INIT":
			err = parseState(b, &t.Initial, nil)
		case "FINA":
			err = parseState(b, &t.Final, &t.Mask)
		case "EXCP":
			if len(b) < 5 {
				return errShort
			}
			t.Exception = &Exception{b[0]}
		}
		return err
	})
	return t, err
}

// counted is a length and as many bytes.
func counted(b []byte) ([]byte, error) {
	if len(b) < 4 || uint64(le.Uint32(b)) > uint64(len(b)-4) {
		return nil, errShort
	}
	return b[4 : 4+le.Uint32(b)], nil
}

func parseState(b []byte, s *State, m *Mask) error {
	return chunks(b, func(id string, b []byte) error {
		switch id {
		case "REGS", "RG32":
			return parseRegs(id, b, &s.Has, &s.Regs)
		case "RMSK", "RM32":
			if m != nil {
				return parseRegs(id, b, &m.Has, &m.Regs)
			}
		case "RAM ":
			return s.parseRAM(b)
		}
		return nil
	})
}

// parseRegs reads registers, or masks of them: a bit for each that is there,
// then their values.
func parseRegs(id string, b []byte, has *uint32, regs *[NumRegs]uint32) error {
	if id == "RG32" || id == "RM32" {
		if len(b) < 4 {
			return errShort
		}
		present := le.Uint32(b)
		b = b[4:]
		for i := range NumRegs {
			if present>>i&1 == 0 {
				continue
			}
			if len(b) < 4 {
				return errShort
			}
			*has |= 1 << i
			regs[i], b = le.Uint32(b), b[4:]
		}
		return nil
	}
	if len(b) < 2 {
		return errShort
	}
	present := le.Uint16(b)
	b = b[2:]
	for i, reg := range order16 {
		if present>>i&1 == 0 {
			continue
		}
		if len(b) < 2 {
			return errShort
		}
		*has |= 1 << reg
		regs[reg], b = uint32(le.Uint16(b)), b[2:]
	}
	return nil
}

func (s *State) parseRAM(b []byte) error {
	if len(b) < 4 || uint64(le.Uint32(b))*5 > uint64(len(b)-4) {
		return errShort
	}
	n := le.Uint32(b)
	for b = b[4:]; n > 0; n-- {
		s.RAM = append(s.RAM, Byte{le.Uint32(b), b[4]})
		b = b[5:]
	}
	return nil
}
