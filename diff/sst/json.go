package sst

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// jsonTest is a test of the JSON layout, as far as it is used.
type jsonTest struct {
	Index     int       `json:"idx"`
	Name      string    `json:"name"`
	RawBytes  []int     `json:"bytes"`
	Initial   jsonState `json:"initial"`
	Final     jsonState `json:"final"`
	Exception *struct {
		Number uint8 `json:"number"`
	} `json:"exception"`
}

type jsonState struct {
	Regs  map[string]uint32 `json:"regs"`
	Masks map[string]uint32 `json:"masks"`
	RAM   [][2]uint32       `json:"ram"`
}

// parseJSON reads a list of tests, one after the other.
func parseJSON(r io.Reader) (*File, error) {
	d := json.NewDecoder(r)
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.New("not a list of tests")
	}
	f := new(File)
	for d.More() {
		var j jsonTest
		if err := d.Decode(&j); err != nil {
			return nil, fmt.Errorf("test %d: not in the JSON layout of SingleStepTests", len(f.Tests))
		}
		t, err := j.test()
		if err != nil {
			return nil, fmt.Errorf("test %d: %w", len(f.Tests), err)
		}
		f.Tests = append(f.Tests, *t)
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("the list of tests has no end")
	}
	return f, nil
}

func (j *jsonTest) test() (*Test, error) {
	t := &Test{Index: j.Index, Name: j.Name}
	for _, b := range j.RawBytes {
		if b < 0 || b > 0xff {
			return nil, fmt.Errorf("%d is not a byte", b)
		}
		t.Bytes = append(t.Bytes, byte(b))
	}
	if err := j.Initial.state(&t.Initial); err != nil {
		return nil, err
	}
	if err := j.Final.state(&t.Final); err != nil {
		return nil, err
	}
	var m State
	if err := (&jsonState{Regs: j.Final.Masks}).state(&m); err != nil {
		return nil, err
	}
	t.Mask = Mask{m.Has, m.Regs}
	if e := j.Exception; e != nil {
		t.Exception = &Exception{e.Number}
	}
	return t, nil
}

func (j *jsonState) state(s *State) error {
	for name, v := range j.Regs {
		i, ok := regByName[name]
		if !ok {
			return fmt.Errorf("no register %q", name)
		}
		s.set(i, v)
	}
	for _, b := range j.RAM {
		if b[1] > 0xff {
			return fmt.Errorf("%d is not a byte", b[1])
		}
		s.RAM = append(s.RAM, Byte{b[0], uint8(b[1])})
	}
	return nil
}

// regByName knows the names of both register files.
var regByName = func() map[string]int {
	m := map[string]int{}
	for i, name := range regNames {
		m[name] = i
		if name[0] == 'e' && len(name) > 2 {
			m[name[1:]] = i
		}
	}
	return m
}()
