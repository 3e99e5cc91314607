package machine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// field names some numbers of a flat value: one, or an array of them. In text
// it is "Name kind" or "Name [n]kind", the kind as Go spells it.
type field struct {
	name string
	kind reflect.Kind
	n    int
}

// leaf is a field and the place of its numbers: a number or an array of them.
type leaf struct {
	field
	at reflect.Value
}

// fieldsOf lists the numbers of a flat value: structs and arrays of numbers,
// nothing that points. An embedded struct adds its fields as if they were the
// outer one's; the elements of an array of anything but numbers are named each
// for itself.
func fieldsOf(v any) []leaf { return appendLeaves(nil, "", reflect.ValueOf(v).Elem()) }

func appendLeaves(list []leaf, name string, v reflect.Value) []leaf {
	switch t := v.Type(); {
	case kindSize(t.Kind()) > 0:
		return append(list, leaf{field{name, t.Kind(), 1}, v})
	case t.Kind() == reflect.Array && kindSize(t.Elem().Kind()) > 0:
		return append(list, leaf{field{name, t.Elem().Kind(), t.Len()}, v})
	case t.Kind() == reflect.Array:
		for i := range t.Len() {
			list = appendLeaves(list, name+"["+strconv.Itoa(i)+"]", v.Index(i))
		}
		return list
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			inner := name
			if f := t.Field(i); !f.Anonymous {
				inner = strings.TrimPrefix(name+"."+f.Name, ".")
			}
			list = appendLeaves(list, inner, v.Field(i))
		}
		return list
	}
	panic("BUG: the state " + v.Type().String() + " is not flat")
}

// kindSize is the size in bytes of a number of a kind, 0 of what is none.
func kindSize(k reflect.Kind) int {
	switch k {
	case reflect.Bool, reflect.Uint8, reflect.Int8:
		return 1
	case reflect.Uint16, reflect.Int16:
		return 2
	case reflect.Uint32, reflect.Int32:
		return 4
	case reflect.Uint64, reflect.Int64:
		return 8
	}
	return 0
}

func (f *field) size() int { return f.n * kindSize(f.kind) }

func (f *field) String() string {
	if f.n == 1 {
		return f.name + " " + f.kind.String()
	}
	return fmt.Sprintf("%s [%d]%s", f.name, f.n, f.kind)
}

// describeFields is the text of fields, a line each.
func describeFields(list []leaf) string {
	var b strings.Builder
	for i := range list {
		b.WriteString(list[i].String())
		b.WriteByte('\n')
	}
	return b.String()
}

// maxRecord bounds the bytes of one record of a section.
const maxRecord = 1 << 20

var errLayout = errors.New("its list of fields is damaged")

// parseFields reads what describeFields wrote, and tells how many bytes the numbers take.
func parseFields(text string) (list []field, size int, err error) {
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		space := strings.LastIndexByte(line, ' ')
		if !ended || space < 1 {
			return nil, 0, errLayout
		}
		f := field{name: line[:space], n: 1}
		kind := line[space+1:]
		if inner, isArray := strings.CutPrefix(kind, "["); isArray {
			count, of, _ := strings.Cut(inner, "]")
			if f.n, err = strconv.Atoi(count); err != nil || f.n < 0 || f.n > maxRecord {
				return nil, 0, errLayout
			}
			kind = of
		}
		for k := reflect.Bool; k <= reflect.Uint64; k++ {
			if k.String() == kind && kindSize(k) > 0 {
				f.kind = k
			}
		}
		if f.kind == reflect.Invalid {
			return nil, 0, errLayout
		}
		if size += f.size(); size > maxRecord {
			return nil, 0, errLayout
		}
		list = append(list, f)
	}
	return list, size, nil
}

// appendNumbers appends the numbers of all fields, little-endian.
func appendNumbers(b []byte, list []leaf) []byte {
	for _, l := range list {
		if l.at.Kind() != reflect.Array {
			b = appendNumber(b, l.kind, l.at)
			continue
		}
		for i := range l.n {
			b = appendNumber(b, l.kind, l.at.Index(i))
		}
	}
	return b
}

func appendNumber(b []byte, k reflect.Kind, v reflect.Value) []byte {
	var x uint64
	switch {
	case k == reflect.Bool:
		if v.Bool() {
			x = 1
		}
	case v.CanInt():
		x = uint64(v.Int())
	default:
		x = v.Uint()
	}
	var raw [8]byte
	binary.LittleEndian.PutUint64(raw[:], x)
	return append(b, raw[:kindSize(k)]...)
}

// setNumbers puts the numbers of a record where the fields of the same names
// are. A field that the record lacks stays as it is; one that is not in the
// list, or does not fit there, is an error. A field may have become wider, and
// an array longer.
func setNumbers(to []leaf, from []field, record []byte) error {
	place := make(map[string]*leaf, len(to))
	for i := range to {
		place[to[i].name] = &to[i]
	}
	for _, f := range from {
		l := place[f.name]
		switch {
		case l == nil:
			return fmt.Errorf("it has a field %q that this build does not know", f.name)
		case family(l.kind) != family(f.kind) || kindSize(l.kind) < kindSize(f.kind) || l.n < f.n:
			return fmt.Errorf("its field %q is not of this build's kind", f.name)
		}
		delete(place, f.name) // a second one of this name is unknown
		for i := range f.n {
			v := l.at
			if v.Kind() == reflect.Array {
				v = v.Index(i)
			}
			setNumber(v, f.kind, record)
			record = record[kindSize(f.kind):]
		}
	}
	return nil
}

// family tells apart what cannot be widened into each other.
func family(k reflect.Kind) int {
	switch {
	case k == reflect.Bool:
		return 0
	case k <= reflect.Int64:
		return 1
	}
	return 2
}

func setNumber(v reflect.Value, k reflect.Kind, b []byte) {
	var raw [8]byte
	copy(raw[:], b[:kindSize(k)])
	x := binary.LittleEndian.Uint64(raw[:])
	switch unused := 64 - 8*kindSize(k); {
	case k == reflect.Bool:
		v.SetBool(x != 0)
	case v.CanInt():
		v.SetInt(int64(x<<unused) >> unused)
	default:
		v.SetUint(x)
	}
}
