package debug

import "strconv"

// record is one line in the making, a JSON object. Addresses and values are
// strings of 0x..., since a JSON number holds 53 bits.
type record struct{ b []byte }

// begin starts a line: what tick and what kind of event.
func (r *record) begin(tick uint64, kind string) {
	r.b = append(r.b[:0], `{"tick":`...)
	r.b = strconv.AppendUint(r.b, tick, 10)
	r.b = append(r.b, `,"kind":"`...)
	r.b = append(r.b, kind...)
	r.b = append(r.b, '"')
}

// key starts a field.
func (r *record) key(name string) {
	r.b = append(r.b, `,"`...)
	r.b = append(r.b, name...)
	r.b = append(r.b, `":`...)
}

// hex adds a number as 0x....
func (r *record) hex(name string, v uint64) {
	r.key(name)
	r.b = append(r.b, `"0x`...)
	r.b = strconv.AppendUint(r.b, v, 16)
	r.b = append(r.b, '"')
}

// wide adds a number of more than 64 bits as 0x..., the lower 64 in full.
func (r *record) wide(name string, high, low uint64) {
	if high == 0 {
		r.hex(name, low)
		return
	}
	r.hex(name, high)
	r.b = r.b[:len(r.b)-1]
	for shift := 60; shift >= 0; shift -= 4 {
		r.b = append(r.b, hexDigits[low>>shift&15])
	}
	r.b = append(r.b, '"')
}

const hexDigits = "0123456789abcdef"

// num adds a small number.
func (r *record) num(name string, v uint64) {
	r.key(name)
	r.b = strconv.AppendUint(r.b, v, 10)
}

// truth adds a yes or no.
func (r *record) truth(name string, v bool) {
	r.key(name)
	r.b = strconv.AppendBool(r.b, v)
}

// bytes adds bytes, two digits each.
func (r *record) bytes(name string, v []byte) {
	r.key(name)
	r.b = append(r.b, '"')
	for _, x := range v {
		r.b = append(r.b, hexDigits[x>>4], hexDigits[x&15])
	}
	r.b = append(r.b, '"')
}

// text adds a printable string; an empty one is left out.
func (r *record) text(name, v string) {
	if v == "" {
		return
	}
	r.key(name)
	r.b = append(r.b, '"')
	for i := range len(v) {
		if v[i] == '"' || v[i] == '\\' {
			r.b = append(r.b, '\\')
		}
		r.b = append(r.b, v[i])
	}
	r.b = append(r.b, '"')
}

// end finishes the line.
func (r *record) end() []byte {
	r.b = append(r.b, "}\n"...)
	return r.b
}
