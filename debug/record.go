package debug

import "strconv"

// record is one line in the making, in two forms: words with key=value, or a
// JSON object. Addresses and values are hexadecimal, in JSON as strings, since
// a JSON number holds 53 bits.
type record struct {
	b    []byte
	json bool
}

// begin starts a line: what tick and what kind of event.
func (r *record) begin(tick uint64, kind string) {
	r.b = r.b[:0]
	if r.json {
		r.b = append(r.b, `{"tick":`...)
		r.b = strconv.AppendUint(r.b, tick, 10)
		r.b = append(r.b, `,"kind":"`...)
		r.b = append(r.b, kind...)
		r.b = append(r.b, '"')
		return
	}
	var digits [20]byte
	d := strconv.AppendUint(digits[:0], tick, 10)
	for n := len(d); n < 10; n++ {
		r.b = append(r.b, ' ')
	}
	r.b = append(r.b, d...)
	r.b = append(r.b, ' ')
	r.b = append(r.b, kind...)
	for n := len(kind); n < 8; n++ {
		r.b = append(r.b, ' ')
	}
}

// key starts a field.
func (r *record) key(name string) {
	if r.json {
		r.b = append(r.b, `,"`...)
		r.b = append(r.b, name...)
		r.b = append(r.b, `":`...)
		return
	}
	r.b = append(r.b, ' ')
	r.b = append(r.b, name...)
	r.b = append(r.b, '=')
}

// hex adds a number as 0x....
func (r *record) hex(name string, v uint64) {
	r.key(name)
	if r.json {
		r.b = append(r.b, '"')
	}
	r.b = append(r.b, '0', 'x')
	r.b = strconv.AppendUint(r.b, v, 16)
	if r.json {
		r.b = append(r.b, '"')
	}
}

// at adds the address of the field before it, in words as @0x....
func (r *record) at(name string, v uint64) {
	if r.json {
		r.hex(name, v)
		return
	}
	r.b = append(r.b, "@0x"...)
	r.b = strconv.AppendUint(r.b, v, 16)
}

// num adds a small number.
func (r *record) num(name string, v uint64) {
	r.key(name)
	r.b = strconv.AppendUint(r.b, v, 10)
}

// note adds an explanation of the field before it, in words in brackets; an
// empty one is left out.
func (r *record) note(name, v string) {
	switch {
	case v == "":
	case r.json:
		r.text(name, v)
	default:
		r.b = append(r.b, " ("...)
		r.b = append(r.b, v...)
		r.b = append(r.b, ')')
	}
}

// verdict adds whether a check passed.
func (r *record) verdict(ok bool) {
	switch {
	case r.json:
		r.key("ok")
		r.b = strconv.AppendBool(r.b, ok)
	case ok:
		r.b = append(r.b, " ok  "...)
	default:
		r.b = append(r.b, " FAIL"...)
	}
}

// text adds a printable string; in words it stands without its key.
func (r *record) text(name, v string) {
	if r.json {
		r.key(name)
		r.b = append(r.b, '"')
		for i := range len(v) {
			if v[i] == '"' || v[i] == '\\' {
				r.b = append(r.b, '\\')
			}
			r.b = append(r.b, v[i])
		}
		r.b = append(r.b, '"')
		return
	}
	r.b = append(r.b, ' ')
	r.b = append(r.b, v...)
}

// end finishes the line.
func (r *record) end() []byte {
	if r.json {
		r.b = append(r.b, '}')
	}
	r.b = append(r.b, '\n')
	return r.b
}
