package fp

import (
	"math/bits"
	"sync"
)

// The transcendental instructions of the x87. Their results are rounded from
// series of 128 bits, as the control word says, to 64 bits whatever the precision
// control. Processors promise an error below one unit in the last place; AMD's
// Zen 4 gives the correctly rounded result nearly always, and so does this.
// [SDM 1, Transcendental Instruction Accuracy; Approximation of Pi]

// pi66 is pi as the instructions reduce their arguments by: 66 bits,
// pi66 * 2^-64.
var pi66 = [2]uint64{0x3, 0x243f6a8885a308d3}

// Constants of 128 bits.
var (
	piWide  = number{class: finite, exp: 1, hi: 0xc90fdaa22168c234, lo: 0xc4c6628b80dc1cd1}
	ln2Wide = number{class: finite, exp: -1, hi: 0xb17217f7d1cf79ab, lo: 0xc9e3b39803f2f6af}
)

// tooLarge is the exponent from which on trigonometric arguments are refused (C2).
const tooLarge = 63

// reduce takes the nearest multiple of pi/2 off |x|: the rest, in -pi/4 to pi/4,
// and the multiple modulo 4.
func reduce(x *number) (rest number, quadrant uint) {
	r := *x
	r.neg = false
	if x.exp < -1 {
		return r, 0 // below 1/2
	}
	// x and pi66/2 as integers times 2^-65: x is hi << (exp+2).
	p := pi66
	hi, lo := uint64(0), x.hi
	for range x.exp + 2 {
		hi, lo = hi<<1|lo>>63, lo<<1
		if hi > p[0] || hi == p[0] && lo >= p[1] {
			var c uint64
			lo, c = bits.Sub64(lo, p[1], 0)
			hi, _ = bits.Sub64(hi, p[0], c)
			quadrant = quadrant<<1 | 1
		} else {
			quadrant <<= 1
		}
	}
	// More than half of pi/2 is left: the next multiple is nearer.
	if h, l := hi<<1|lo>>63, lo<<1; h > p[0] || h == p[0] && l > p[1] {
		var c uint64
		lo, c = bits.Sub64(p[1], lo, 0)
		hi, _ = bits.Sub64(p[0], hi, c)
		rest.neg = true
		quadrant++
	}
	if hi|lo == 0 {
		return number{}, quadrant & 3
	}
	rest.class, rest.exp, rest.hi, rest.lo = finite, 127-65, hi, lo
	rest.normalize()
	return rest, quadrant & 3
}

// alternating sums 1 - z/(k(k+1)) * (1 - ...) for every second k up to last.
func alternating(z number, last int64) number {
	one := fromInt(1)
	s := one
	for k := last; k >= 1; k -= 2 {
		s = minus(one, overInt(times(z, s), uint64(k*(k+1))))
	}
	return s
}

// sine and cosine sum the series of x, at most pi/4.
func sine(x number) number   { return times(x, alternating(times(x, x), 30)) }
func cosine(x number) number { return alternating(times(x, x), 31) }

// sinCos gives sine and cosine of a number of any quadrant.
func sinCos(x *number) (sin, cos number) {
	r, q := reduce(x)
	s, c := sine(r), cosine(r)
	switch q {
	case 1:
		s, c = c, s
		c.neg = !c.neg
	case 2:
		s.neg, c.neg = !s.neg, !c.neg
	case 3:
		s, c = c, s
		s.neg = !s.neg
	}
	s.neg = s.neg != x.neg
	return s, c
}

// inexact marks a result that is no exact number: its last bit is sticky.
func inexact(n number) number {
	n.lo |= 1
	return n
}

// round64 packs a result to 64 bits, whatever the precision control.
func (e *Env) round64(n number) F80 {
	p := e.Precision
	e.Precision = 64
	v := e.pack80(&n)
	e.Precision = p
	return v
}

// Trig is which trigonometric instruction runs.
type Trig uint8

// The trigonometric instructions.
const (
	Sin    Trig = iota // FSIN
	Cos                // FCOS
	SinCos             // FSINCOS: sine, then cosine
	Tan                // FPTAN: tangent, then 1
)

// Trig80 computes a trigonometric function; second is what FSINCOS and FPTAN push.
// far says that the argument is 2^63 or more: nothing is done. [SDM 2, FSIN; FCOS; FSINCOS; FPTAN]
func (e *Env) Trig80(op Trig, a F80) (first, second F80, far bool) {
	x := unpack80(a)
	one := F80{1 << 63, 0x3fff}
	if r, done := e.special(&x, &x); done {
		v := e.pack80(&r)
		return v, v, false
	}
	switch {
	case x.class == infinite:
		n := e.invalid()
		v := e.pack80(&n)
		return v, v, false
	case x.class == zero && op == Cos:
		return one, one, false
	case x.class == zero:
		return a, one, false
	case x.exp >= tooLarge:
		return a, a, true
	}
	e.denormals(&x, &x)
	if e.stops() {
		return F80{}, F80{}, false
	}
	s, c := sinCos(&x)
	switch op {
	case Sin:
		return e.round64(inexact(s)), F80{}, false
	case Cos:
		return e.round64(inexact(c)), F80{}, false
	case Tan:
		return e.round64(inexact(over(s, c))), one, false
	}
	// C1 tells of the sine.
	second = e.round64(inexact(c))
	first = e.round64(inexact(s))
	return first, second, false
}

// Exp80 is F2XM1: 2^x - 1 for x from -1 to 1; beyond, where the manual defines
// nothing, x stays. [SDM 2, F2XM1]
func (e *Env) Exp80(a F80) F80 {
	x := unpack80(a)
	if r, done := e.special(&x, &x); done {
		return e.pack80(&r)
	}
	switch {
	case x.class == infinite && x.neg:
		return F80{1 << 63, 0xbfff}
	case x.class != finite:
		return a
	}
	e.denormals(&x, &x)
	if e.stops() {
		return F80{}
	}
	switch {
	case x.exp == 0 && x.hi == 1<<63 && x.neg:
		e.raise(Inexact) // although it is not, as AMD Zen 4 does
		return F80{1 << 63, 0xbffe}
	case x.exp == 0 && x.hi == 1<<63:
		// 1, which AMD Zen 4 rounds as if it came from just below.
		return e.round64(number{class: finite, exp: -1, hi: ^uint64(0), lo: ^uint64(0)})
	case x.exp >= 0:
		e.raise(Inexact)
		return a
	}
	t := times(x, ln2Wide)
	one := fromInt(1)
	s := one
	for k := uint64(36); k >= 2; k-- {
		s = plus(one, overInt(times(t, s), k))
	}
	return e.round64(inexact(times(t, s)))
}

// logOf sums log2((1+s)/(1-s)), s at most 0.18.
func logOf(s number) number {
	z := times(s, s)
	sum := number{}
	for k := int64(51); k >= 1; k -= 2 {
		sum = plus(overInt(fromInt(1), uint64(k)), times(z, sum))
	}
	return over(scaled(times(s, sum), 1), ln2Wide)
}

// log2 is the logarithm of a positive number; exact tells that it is an integer.
func log2(x number) (r number, exact bool) {
	k := int64(x.exp)
	m := x
	m.exp = 0
	if m.hi == 1<<63 && m.lo == 0 {
		return fromInt(k), true
	}
	// m in [sqrt(1/2), sqrt(2)).
	if m.hi > 0xb504f333f9de6484 {
		m.exp, k = -1, k+1
	}
	one := fromInt(1)
	return plus(logOf(over(minus(m, one), plus(m, one))), fromInt(k)), false
}

// Log80 is FYL2X: y * log2(x). [SDM 2, FYL2X]
func (e *Env) Log80(a, b F80) F80 {
	x, y := unpack80(a), unpack80(b)
	if r, done := e.special(&y, &x); done {
		return e.pack80(&r)
	}
	unit := x.class == finite && x.exp == 0 && x.hi == 1<<63
	var r number
	switch {
	case x.neg && x.class != zero, x.class == zero && y.class == zero, unit && y.class == infinite, x.class == infinite && y.class == zero:
		r = e.invalid()
	case x.class == zero && y.class == finite:
		e.raise(ZeroDiv)
		r = number{class: infinite, neg: !y.neg}
	case x.class == zero:
		r = number{class: infinite, neg: !y.neg}
	case x.class == infinite:
		e.denormals(&x, &y)
		r = number{class: infinite, neg: y.neg}
	case y.class == infinite:
		e.denormals(&x, &y)
		r = number{class: infinite, neg: y.neg != (x.exp < 0)}
	default:
		e.denormals(&x, &y)
		if e.stops() {
			return F80{}
		}
		l, exact := log2(x)
		r = times(y, l)
		if r.class != zero {
			return e.roundLog(r, exact)
		}
		r.neg = y.neg != (x.exp < 0)
	}
	return e.round64(r)
}

// LogPlus80 is FYL2XP1: y * log2(x+1), for x within 1 - sqrt(1/2) of zero; beyond,
// where the manual defines nothing, it goes on as far as there is a logarithm.
// [SDM 2, FYL2XP1]
func (e *Env) LogPlus80(a, b F80) F80 {
	x, y := unpack80(a), unpack80(b)
	if r, done := e.special(&y, &x); done {
		return e.pack80(&r)
	}
	var r number
	switch {
	case x.class == zero && y.class == infinite, x.class == infinite && (x.neg || y.class == zero):
		r = e.invalid()
	case x.class == zero || y.class == zero:
		e.denormals(&x, &y)
		r = number{neg: x.neg != y.neg}
	case x.class == infinite || y.class == infinite:
		e.denormals(&x, &y)
		r = number{class: infinite, neg: x.neg != y.neg}
	default:
		e.denormals(&x, &y)
		if e.stops() {
			return F80{}
		}
		if x.neg && x.exp >= 0 {
			e.raise(Inexact)
			return a // no logarithm
		}
		var l number
		exact := false
		if x.exp < -2 {
			l = logOf(over(x, plus(fromInt(2), x)))
		} else {
			l, exact = log2(plus(fromInt(1), x))
		}
		return e.roundLog(times(y, l), exact)
	}
	return e.round64(r)
}

// roundLog rounds a logarithm. Also one that is exact counts as inexact, as on AMD's
// Zen 4, and so as an underflow where it is denormal.
func (e *Env) roundLog(r number, exact bool) F80 {
	if !exact {
		r = inexact(r)
	}
	v := e.round64(r)
	e.raise(Inexact)
	if v.SE&0x7fff == 0 {
		e.raise(Underflow)
	}
	return v
}

// quarters holds the arctangents of 1/4, 1/2, 3/4 and 1.
var quarters = sync.OnceValue(func() (t [5]number) {
	for i := 1; i < 4; i++ {
		t[i] = arctanSeries(scaled(fromInt(int64(i)), -2), 401)
	}
	t[4] = scaled(piWide, -2)
	return t
})

// arctanSeries sums the series of u up to the term of last.
func arctanSeries(u number, last int64) number {
	z := times(u, u)
	sum := number{}
	for k := last; k >= 1; k -= 2 {
		sum = minus(overInt(fromInt(1), uint64(k)), times(z, sum))
	}
	return times(u, sum)
}

// arctan is the arctangent of t, from 0 to 1.
func arctan(t number) number {
	// The nearest quarter c; then arctan t = arctan c + arctan((t-c)/(1+tc)).
	i := 0
	if t.exp >= -3 {
		i = int(shiftedHi(t)+1) / 2
	}
	if i == 0 {
		return arctanSeries(t, 45)
	}
	c := scaled(fromInt(int64(i)), -2)
	u := over(minus(t, c), plus(fromInt(1), times(t, c)))
	if u.class == zero {
		return quarters()[i]
	}
	return plus(quarters()[i], arctanSeries(u, 45))
}

// shiftedHi is t in eighths, truncated.
func shiftedHi(t number) uint64 { return t.hi >> uint(63-3-t.exp) }

// Atan80 is FPATAN: the angle of the point (x, y). [SDM 2, FPATAN]
func (e *Env) Atan80(a, b F80) F80 {
	x, y := unpack80(a), unpack80(b)
	if r, done := e.special(&y, &x); done {
		return e.pack80(&r)
	}
	e.denormals(&x, &y)
	if e.stops() {
		return F80{}
	}
	angle := func(eighths int64) F80 {
		n := times(fromInt(eighths), scaled(piWide, -3))
		n.neg = y.neg
		return e.round64(inexact(n))
	}
	switch {
	case y.class == zero && !x.neg, y.class == finite && x.class == infinite && !x.neg:
		return e.round64(number{neg: y.neg})
	case y.class == zero, y.class == finite && x.class == infinite:
		return angle(8)
	case y.class == infinite && x.class == infinite && x.neg:
		return angle(6)
	case y.class == infinite && x.class == infinite:
		return angle(2)
	case y.class == infinite, x.class == zero:
		return angle(4)
	}
	xa, ya := x, y
	xa.neg, ya.neg = false, false
	var r number
	if magnitude(&ya, &xa) == Greater {
		r = minus(scaled(piWide, -1), signedAs(arctan(over(xa, ya)), x.neg))
	} else {
		t := over(ya, xa)
		r = arctan(t)
		if x.neg {
			r = minus(piWide, r)
		}
	}
	r.neg = y.neg
	return e.round64(inexact(r))
}

func signedAs(n number, neg bool) number {
	n.neg = n.neg != neg
	return n
}
