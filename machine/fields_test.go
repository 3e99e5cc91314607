package machine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"x86emu/cpu"
)

type inner struct {
	A uint16
	B [2]int8
}

// What older or other builds wrote is read by the names of the fields.
func TestFieldsByName(t *testing.T) {
	type Embedded struct{ E bool }
	type now struct {
		Embedded
		X, New uint32
		Y      int64
		S      [3]uint8
		In     [2]inner
	}
	after := now{New: 77, S: [3]uint8{9, 9, 9}}
	for _, c := range []struct {
		name string
		old  any
		want now
		err  string
	}{
		{"all of it", &now{Embedded: Embedded{true}, X: 1, New: 2, Y: -3, S: [3]uint8{4, 5, 6}, In: [2]inner{{7, [2]int8{-8, 9}}, {10, [2]int8{11, -12}}}},
			now{Embedded: Embedded{true}, X: 1, New: 2, Y: -3, S: [3]uint8{4, 5, 6}, In: [2]inner{{7, [2]int8{-8, 9}}, {10, [2]int8{11, -12}}}}, ""},
		{"a field less", &struct{ X uint32 }{5}, now{X: 5, New: 77, S: [3]uint8{9, 9, 9}}, ""},
		{"another order", &struct {
			Y int64
			X uint32
		}{-5, 6}, now{X: 6, Y: -5, New: 77, S: [3]uint8{9, 9, 9}}, ""},
		{"narrower then", &struct {
			X uint8
			Y int16
		}{255, -2}, now{X: 255, Y: -2, New: 77, S: [3]uint8{9, 9, 9}}, ""},
		{"a shorter array", &struct{ S [2]uint8 }{[2]uint8{1, 2}}, now{New: 77, S: [3]uint8{1, 2, 9}}, ""},
		{"fewer elements", &struct{ In [1]inner }{[1]inner{{1, [2]int8{2, 3}}}}, now{New: 77, S: [3]uint8{9, 9, 9}, In: [2]inner{{1, [2]int8{2, 3}}}}, ""},
		{"nothing", &struct{}{}, after, ""},
		{"wider then", &struct{ X uint64 }{}, after, `"X"`},
		{"signed then", &struct{ X int32 }{}, after, `"X"`},
		{"a number then", &struct{ E uint8 }{}, after, `"E"`},
		{"a longer array", &struct{ S [4]uint8 }{}, after, `"S"`},
		{"a field more", &struct{ Z bool }{}, after, `"Z"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := fieldsOf(c.old)
			record := appendNumbers(nil, list)
			fields, size, err := parseFields(describeFields(list))
			require.NoError(t, err)
			require.Equal(t, len(record), size)
			got := after
			err = setNumbers(fieldsOf(&got), fields, record)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestFieldsRefused(t *testing.T) {
	for _, text := range []string{"X", "X uint8", " uint8\n", "X uint9\n", "X struct\n", "X [2uint8\n", "X [-1]uint8\n", "X [2]\n", "X [1048577]bool\n", "X [600000]bool\nY [600000]bool\n", "\n"} {
		_, _, err := parseFields(text)
		assert.Error(t, err, "%q", text)
	}
}

// Every field of a state has a name of its own, and can be set.
func TestStatesAreFlat(t *testing.T) {
	m := boot(t, Config{}, "")
	states := []any{new(cpu.State), new(board), new(savedPage)}
	for _, d := range m.devices {
		states = append(states, d.State())
	}
	for _, s := range states {
		seen := make(map[string]bool)
		for _, l := range fieldsOf(s) {
			assert.False(t, seen[l.name], "%T: %s twice", s, l.name)
			assert.True(t, l.at.CanSet(), "%T: %s is not exported", s, l.name)
			seen[l.name] = true
		}
		assert.Less(t, len(describeFields(fieldsOf(s))), maxFields)
	}
}
