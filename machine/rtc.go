package machine

import (
	"slices"
	"time"
)

// RTC is the MC146818A's real-time clock with its memory, 128 bytes behind ports
// 0x70 (index) and 0x71 (data), on IRQ 8: time of day and date in BCD or binary,
// of 12 or 24 hours, the alarm, and periodic, alarm and update interrupts. Its crystal
// of 32768 Hz beats in virtual time, from Config.Date on.
//
// Left out are daylight saving (DSE is kept) and the square wave, which no pin
// carries; bit 7 of port 0x70, the NMI mask, masks nothing. Beyond the chip's own
// there are the century (0x32) and what a PC's firmware leaves: sizes of memory,
// equipment and the checksum.
// [Motorola MC146818A data sheet; Intel 82371SB (PIIX3) data sheet, Real Time Clock]
type RTC struct {
	s     rtcState
	m     *Machine
	timer *Timer // the next interrupt, while IRQ 8 is not masked
}

type rtcState struct {
	CMOS   [128]uint8 // the time is that of Seen
	Index  uint8      // as written to port 0x70
	Origin uint64     // the beat at which the divider chain stood at zero; time before it is negative
	Seen   uint64     // the beat up to which time, flags and IRQ 8 are right
}

// DefaultDate is what the clock shows at tick 0 if Config.Date does not tell.
var DefaultDate = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

const (
	rtcHz  = 32768
	rtcIRQ = 8

	// uipBeats is how long UIP tells of an update: 244 us ahead and the 1984 us
	// that it takes. The time changes as it ends. [MC146818A, Update Cycle]
	uipBeats = 73
)

// Registers.
const (
	rtcSeconds = iota
	rtcSecondsAlarm
	rtcMinutes
	rtcMinutesAlarm
	rtcHours
	rtcHoursAlarm
	rtcWeekday
	rtcDay
	rtcMonth
	rtcYear
	rtcA
	rtcB
	rtcC
	rtcD
	rtcCentury = 0x32
)

const (
	rtcUIP   = 1 << 7 // of A
	rtcDV    = 7 << 4
	rtcDVRun = 2 << 4 // a crystal of 32768 Hz; what else there is in DV stops the chain

	rtcSET = 1 << 7 // of B
	rtcPIE = 1 << 6
	rtcAIE = 1 << 5
	rtcUIE = 1 << 4
	rtcDM  = 1 << 2 // binary
	rtc24  = 1 << 1

	rtcIRQF = 1 << 7 // of C
	rtcPF   = 1 << 6
	rtcAF   = 1 << 5
	rtcUF   = 1 << 4

	rtcPM  = 1 << 7 // of hours
	rtcAny = 3 << 6 // of an alarm: any value matches
	rtcVRT = 1 << 7 // of D
)

func newRTC(m *Machine) *RTC {
	r := &RTC{m: m}
	c := &r.s.CMOS
	c[rtcA], c[rtcB], c[rtcD] = rtcDVRun|6, rtc24, rtcVRT
	date := m.cfg.Date
	if date.IsZero() {
		date = DefaultDate
	}
	r.show(date)
	c[rtcWeekday] = uint8(date.Weekday()) + 1
	r.firmware(&m.cfg)
	r.timer = m.newLineTimer("rtc", r, func() bool { return m.wakes(rtcIRQ) })
	m.follow(r)
	return r
}

// firmware fills in what a PC's leaves in the memory: KiB of RAM below 640 KiB and
// above 1 MiB, 64 KiB units above 16 MiB, a coprocessor, drives for floppy disks, and the
// checksum; and what Bochs and QEMU tell theirs: the order of drives to boot from, a digit
// for each (1 floppy disk, 2 hard disk), and whether a floppy disk's first sector need not
// be signed. Which of the IDE drives is the first hard disk is for the built-in BIOS alone.
func (r *RTC) firmware(cfg *Config) {
	ram, drives := cfg.RAM, &cfg.Drives
	put := func(at int, v uint64) {
		r.s.CMOS[at], r.s.CMOS[at+1] = uint8(v), uint8(v>>8)
	}
	extended := min((ram-1<<20)>>10, 0xffff)
	r.s.CMOS[0x10], r.s.CMOS[0x14] = drives.floppyTypes()
	r.s.CMOS[0x14] |= 1 << 1
	put(0x15, 640)
	put(0x17, extended)
	put(0x30, extended)
	if ram > 16<<20 {
		put(0x34, min((ram-16<<20)>>16, 0xffff))
	}
	first := max(0, slices.Index(DriveNames[:], cfg.BootFrom))
	if r.s.CMOS[0x3d] = 0x12; first >= firstFloppy {
		r.s.CMOS[0x3d] = 0x21
	} else {
		r.s.CMOS[0x7f] = uint8(first)
	}
	if cfg.AnyFloppy {
		r.s.CMOS[0x38] = 1
	}
	sum := uint64(0)
	for _, b := range r.s.CMOS[0x10:0x2e] {
		sum += uint64(b)
	}
	r.s.CMOS[0x2e], r.s.CMOS[0x2f] = uint8(sum>>8), uint8(sum)
}

func (r *RTC) Name() string { return "rtc" }
func (r *RTC) State() any   { return &r.s }

func (r *RTC) In(off uint16, _ uint8) uint32 {
	if off == 0 {
		return 0xff // the index is not read back
	}
	r.catchUp()
	at := r.s.Index & 0x7f
	v := r.s.CMOS[at]
	switch at {
	case rtcA:
		if r.updates() && (r.s.Seen-r.s.Origin)%rtcHz >= rtcHz-uipBeats {
			v |= rtcUIP
		}
	case rtcC:
		r.s.CMOS[rtcC] &= rtcIRQF
		r.interrupt()
		r.plan()
	}
	return uint32(v)
}

func (r *RTC) Out(off uint16, _ uint8, v uint32) {
	if off == 0 {
		r.s.Index = uint8(v)
		return
	}
	r.catchUp()
	c := &r.s.CMOS
	switch b, at := uint8(v), r.s.Index&0x7f; at {
	case rtcSeconds:
		c[rtcSeconds] = b & 0x7f
	case rtcA:
		stood := !r.runs()
		c[rtcA] = b &^ rtcUIP
		if stood && r.runs() {
			// The first update comes half a second after. [MC146818A, Divider Control]
			r.s.Origin = r.s.Seen - rtcHz/2
		}
	case rtcB:
		if b&rtcSET != 0 {
			b &^= rtcUIE
		}
		c[rtcB] = b
		r.interrupt()
	case rtcC, rtcD: // read only
	default:
		c[at] = b
	}
	r.plan()
}

// runs tells whether the divider chain runs, updates whether the time does.
func (r *RTC) runs() bool    { return r.s.CMOS[rtcA]&rtcDV == rtcDVRun }
func (r *RTC) updates() bool { return r.runs() && r.s.CMOS[rtcB]&rtcSET == 0 }

// period is that of the periodic interrupt in beats, 0 for none.
// [MC146818A, Periodic Interrupt Rate and Square Wave Frequency]
func (r *RTC) period() uint64 {
	switch rate := r.s.CMOS[rtcA] & 15; rate {
	case 0:
		return 0
	case 1, 2:
		return 1 << (rate + 6)
	default:
		return 1 << (rate - 1)
	}
}

// catchUp brings time, flags and IRQ 8 up to date.
func (r *RTC) catchUp() {
	from, now := r.s.Seen-r.s.Origin, r.m.beats(rtcHz)-r.s.Origin
	r.s.Seen = now + r.s.Origin
	if !r.runs() {
		return
	}
	c := &r.s.CMOS
	if p := r.period(); p != 0 && now/p != from/p {
		c[rtcC] |= rtcPF
	}
	if n := now/rtcHz - from/rtcHz; n != 0 && r.updates() {
		if n >= r.alarm() {
			c[rtcC] |= rtcAF
		}
		c[rtcC] |= rtcUF
		r.pass(n)
	}
	r.interrupt()
}

// interrupt derives IRQF and the line.
func (r *RTC) interrupt() {
	c := &r.s.CMOS
	before := c[rtcC]
	c[rtcC] &^= rtcIRQF
	if c[rtcC]&c[rtcB]&(rtcPF|rtcAF|rtcUF) != 0 {
		c[rtcC] |= rtcIRQF
	}
	if (before^c[rtcC])&rtcIRQF != 0 {
		r.m.SetIRQ(rtcIRQ, c[rtcC]&rtcIRQF != 0)
	}
}

// plan sets the timer to the next interrupt, if that can be seen. While one waits
// for register C to be read there is no next one.
func (r *RTC) plan() {
	next := uint64(never)
	if enabled := r.s.CMOS[rtcB]; !r.m.masks(rtcIRQ) && r.runs() && r.s.CMOS[rtcC]&rtcIRQF == 0 {
		now := r.s.Seen - r.s.Origin
		if p := r.period(); p != 0 && enabled&rtcPIE != 0 {
			next = (now/p + 1) * p
		}
		second := now / rtcHz
		if enabled&rtcUIE != 0 {
			next = min(next, (second+1)*rtcHz)
		}
		if enabled&rtcAIE != 0 && r.updates() {
			if a := r.alarm(); a != never {
				next = min(next, (second+a)*rtcHz)
			}
		}
	}
	if next != never {
		next = r.m.tickOf(next+r.s.Origin, rtcHz)
	}
	r.timer.Set(next)
}

// number decodes a register, encode makes its value: BCD or binary.
func (r *RTC) number(v uint8) int {
	if r.s.CMOS[rtcB]&rtcDM != 0 {
		return int(v)
	}
	return int(v>>4)*10 + int(v&15)
}

func (r *RTC) encode(n int) uint8 {
	if r.s.CMOS[rtcB]&rtcDM != 0 {
		return uint8(n)
	}
	return uint8(n/10<<4 | n%10)
}

// hour decodes the hour of a register, encodeHour makes its value.
func (r *RTC) hour(v uint8) int {
	if r.s.CMOS[rtcB]&rtc24 != 0 {
		return r.number(v)
	}
	h := r.number(v&^rtcPM) % 12
	if v&rtcPM != 0 {
		h += 12
	}
	return h
}

func (r *RTC) encodeHour(h int) uint8 {
	switch {
	case r.s.CMOS[rtcB]&rtc24 != 0:
		return r.encode(h)
	case h == 0:
		return r.encode(12)
	case h < 12:
		return r.encode(h)
	case h == 12:
		return r.encode(12) | rtcPM
	}
	return r.encode(h-12) | rtcPM
}

// date is what the registers say; values out of range carry over.
func (r *RTC) date() time.Time {
	c := &r.s.CMOS
	return time.Date(r.number(c[rtcCentury])*100+r.number(c[rtcYear]), time.Month(r.number(c[rtcMonth])), r.number(c[rtcDay]),
		r.hour(c[rtcHours]), r.number(c[rtcMinutes]), r.number(c[rtcSeconds]), 0, time.UTC)
}

// show sets the registers, the weekday's left out.
func (r *RTC) show(t time.Time) {
	c := &r.s.CMOS
	c[rtcSeconds], c[rtcMinutes], c[rtcHours] = r.encode(t.Second()), r.encode(t.Minute()), r.encodeHour(t.Hour())
	c[rtcDay], c[rtcMonth] = r.encode(t.Day()), r.encode(int(t.Month()))
	c[rtcYear], c[rtcCentury] = r.encode(t.Year()%100), r.encode(t.Year()/100%100)
}

// pass lets seconds pass. The weekday is a count of its own, from 1 to 7.
func (r *RTC) pass(seconds uint64) {
	const day = 24 * 60 * 60
	t := r.date()
	h, m, s := t.Clock()
	nights := (uint64(h*60*60+m*60+s) + seconds) / day
	r.show(t.AddDate(0, 0, int(seconds/day)).Add(time.Duration(seconds%day) * time.Second))
	c := &r.s.CMOS
	c[rtcWeekday] = r.encode(int((uint64(r.number(c[rtcWeekday]))+6+nights)%7) + 1)
}

// alarm is how many seconds from now on the time will first match the alarm, or never.
func (r *RTC) alarm() uint64 {
	c := &r.s.CMOS
	matches := func(alarm, v uint8) bool { return alarm&rtcAny == rtcAny || alarm == v }
	possible := func(alarm uint8, n int, encode func(int) uint8) bool {
		for i := range n {
			if matches(alarm, encode(i)) {
				return true
			}
		}
		return false
	}
	if !possible(c[rtcSecondsAlarm], 60, r.encode) || !possible(c[rtcMinutesAlarm], 60, r.encode) || !possible(c[rtcHoursAlarm], 24, r.encodeHour) {
		return never
	}
	now := r.date()
	t := now.Add(time.Second)
	for { // what does not match is passed over whole, so that a day is soon through
		switch {
		case !matches(c[rtcHoursAlarm], r.encodeHour(t.Hour())):
			t = t.Truncate(time.Hour).Add(time.Hour)
		case !matches(c[rtcMinutesAlarm], r.encode(t.Minute())):
			t = t.Truncate(time.Minute).Add(time.Minute)
		case !matches(c[rtcSecondsAlarm], r.encode(t.Second())):
			t = t.Add(time.Second)
		default:
			return uint64(t.Sub(now) / time.Second)
		}
	}
}
