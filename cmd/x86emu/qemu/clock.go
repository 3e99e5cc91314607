package qemu

import (
	"fmt"
	"strconv"
	"time"

	"x86emu/machine"
)

// clock reads the value of -rtc: what the real-time clock shows at first. It goes on
// in virtual time, whatever clock= says.
func clock(p *parser, value string) error {
	for _, s := range props(value, "base") {
		switch s.key {
		case "base":
			date, err := rtcBase(s.value, time.Now())
			if err != nil {
				return err
			}
			p.Date = date
		case "clock", "driftfix":
		default:
			return fmt.Errorf("invalid parameter '%s': must be base, clock or driftfix", s.key)
		}
	}
	return nil
}

// rtcBase is a date of -rtc: what the clock shows, taken for UTC.
func rtcBase(text string, now time.Time) (time.Time, error) {
	switch text {
	case "utc":
		return now.UTC(), nil
	case "localtime":
		_, zone := now.Local().Zone()
		return now.UTC().Add(time.Duration(zone) * time.Second), nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("base=%s: must be utc, localtime or a date as 2006-06-17T16:01:21 or 2006-06-17", text)
}

// instructions reads the value of -icount: an instruction takes 2 to the power of shift
// nanoseconds. Time is virtual and counts instructions without it, too.
func instructions(p *parser, value string) error {
	for _, s := range props(value, "shift") {
		switch s.key {
		case "shift":
			n, err := strconv.ParseUint(s.value, 10, 8)
			switch {
			case s.value == "auto":
				continue
			case err != nil || n > 10:
				return fmt.Errorf("shift=%s: must be auto or a number from 0 to 10", s.value)
			case machine.DefaultTickRate>>n < machine.MinTickRate:
				p.lack("instructions that take longer than %d ns (%s %s)", machine.DefaultTickRate/machine.MinTickRate, p.flag, value)
				p.TickRate = machine.MinTickRate
			default:
				p.TickRate = machine.DefaultTickRate >> n
			}
		case "align", "sleep", "rr", "rrfile", "rrsnapshot":
		default:
			return fmt.Errorf("invalid parameter '%s': must be shift", s.key)
		}
	}
	return nil
}
