package machine

import "time"

// Keyboard is the keyboard at the 8042's first port: scan code sets 1 and 2 (set 3
// is refused), its commands, a buffer of 16 codes with overrun, and the repetition
// of a key that is held, while there is room. Config.Keys are what is typed on it.
//
// A key is pressed or released only when the guest can take it: it has shown that it
// wants keys (proceed), has read all that was sent before, and neither keyboard nor
// port is disabled. Then typingPause passes first, and beginPause before the very first
// key. So none is lost to a guest that boots, or is slow.
//
// Left out are the shifts that real keyboards slip in around the grey keys while Num
// Lock is on, and the half second of the self test, which takes selfTest.
// [IBM PS/2 Hardware Interface Technical Reference, Keyboards]
type Keyboard struct {
	s      keyboardState
	m      *Machine
	c      *I8042
	keys   *Keys
	repeat *Timer
	typing *Timer
}

type keyboardState struct {
	Set      uint8 // of scan codes
	Scanning bool
	LEDs     uint8 // as the guest set them: Scroll Lock, Num Lock, Caps Lock
	Rate     uint8 // of repetition, and the delay before
	Awaits   uint8 // the command that takes the next byte; 0: none does
	Last     uint8 // the byte that was sent last

	Replies   [4]uint8 // to the last command; they go before codes
	Replied   uint8    // how many of them were sent
	Due       uint8    // how many there are
	Answering bool     // the first comes as late as its command takes to arrive
	Codes     [16]uint8
	Head, Len uint8
	Overrun   bool // a code was lost after those

	Down [32]uint8 // a bit for each Key
	Held Key       // the one that repeats; 0: none does

	Taken     uint64 // bytes of Keys
	Listening bool   // the guest has shown that it wants keys
	Polls     uint8  // looks at the ports in vain, since the last write to one of them
}

// Times in microseconds.
const (
	selfTest    = 10_000
	beginPause  = 10_000
	typingPause = 5_000
	livePause   = 10_000 // between two looks at a terminal
)

// wantedPolls is how often the guest looks at the ports in vain before it counts as
// wanting a key.
const wantedPolls = 64

// Commands, and some options.
const (
	kbdLEDs          = 0xed
	kbdEcho          = 0xee
	kbdScanSet       = 0xf0
	kbdIdentify      = 0xf2
	kbdRate          = 0xf3
	kbdEnable        = 0xf4
	kbdDisable       = 0xf5
	kbdDefault       = 0xf6
	kbdAllTypematic  = 0xfa
	kbdResendCommand = 0xfe
	kbdReset         = 0xff

	kbdDefaultRate = 0x2b // 10.9 a second, after half a second
)

// Replies.
const (
	kbdAck    = 0xfa
	kbdResend = 0xfe
	kbdGood   = 0xaa // of the self test
)

func newKeyboard(m *Machine, c *I8042) *Keyboard {
	k := &Keyboard{m: m, c: c, keys: m.cfg.Keys}
	k.defaults()
	k.s.Scanning = true
	k.repeat = m.Clock.NewTimer("keyboard repeat", c.wakes, func(uint64) { k.again() })
	k.typing = m.Clock.NewTimer("keyboard", c.wakes, k.typeNext)
	return k
}

func (k *Keyboard) Name() string { return "keyboard" }
func (k *Keyboard) State() any   { return &k.s }

// defaults is what reset and two more commands set. The buffer is empty then.
func (k *Keyboard) defaults() {
	k.s.Set, k.s.Rate, k.s.LEDs = 2, kbdDefaultRate, 0
	k.clear()
}

// clear empties the buffer.
func (k *Keyboard) clear() {
	k.s.Head, k.s.Len, k.s.Overrun, k.s.Held = 0, 0, false, 0
	if k.repeat != nil {
		k.repeat.Stop()
	}
}

// command takes a byte from the controller: a command, or the option of one. A byte
// that is a command is never an option. What is left of the replies to the one before
// is gone.
func (k *Keyboard) command(b uint8) {
	s := &k.s
	awaits := s.Awaits
	s.Awaits = 0
	if awaits != 0 && b < kbdLEDs {
		k.option(awaits, b)
		return
	}
	switch b {
	case kbdEcho:
		k.reply(kbdEcho)
		return
	case kbdResendCommand:
		k.reply(s.Last)
		return
	case kbdLEDs, kbdScanSet, kbdRate:
		s.Awaits = b
	case kbdIdentify:
		k.reply(kbdAck, 0xab, 0x83)
		return
	case kbdEnable:
		k.clear()
		s.Scanning = true
	case kbdDisable, kbdDefault:
		k.defaults()
		s.Scanning = b == kbdDefault
	case kbdAllTypematic: // as they are
	case kbdReset:
		k.defaults()
		s.Scanning = true
		k.reply(kbdAck, kbdGood)
		return
	default:
		k.reply(kbdResend)
		return
	}
	k.reply(kbdAck)
}

// option takes the option of a command.
func (k *Keyboard) option(command, b uint8) {
	s := &k.s
	switch {
	case command == kbdLEDs:
		s.LEDs = b & 7
	case command == kbdRate:
		s.Rate = b & 0x7f
	case b == 0:
		k.reply(kbdAck, s.Set)
		return
	case b > 2:
		k.reply(kbdResend)
		return
	default:
		k.clear()
		s.Set = b
	}
	k.reply(kbdAck)
}

// reply sets the replies to a byte from the controller.
func (k *Keyboard) reply(b ...uint8) {
	k.s.Due, k.s.Replied, k.s.Answering = uint8(copy(k.s.Replies[:], b)), 0, true
}

// sends tells whether there is something to send, takes how long that takes, in
// microseconds.
func (k *Keyboard) sends() bool { return k.s.Replied < k.s.Due || k.s.Len > 0 || k.s.Overrun }

func (k *Keyboard) takes() uint64 {
	switch s := &k.s; {
	case s.Replied >= s.Due:
		return wireTime
	case s.Answering:
		return 2 * wireTime
	case s.Replies[s.Replied&3] == kbdGood:
		return selfTest
	}
	return wireTime
}

// send gives the next byte. What was lost comes as a code of its own.
func (k *Keyboard) send() (b uint8) {
	s := &k.s
	s.Answering = false
	switch {
	case s.Replied < s.Due:
		b = s.Replies[s.Replied&3]
		s.Replied++
	case s.Len > 0:
		b = s.Codes[s.Head&15]
		s.Head = (s.Head + 1) & 15
		s.Len--
	case s.Overrun:
		s.Overrun = false
		if s.Set == 1 {
			b = 0xff
		}
	}
	s.Last = b
	return b
}

// queue puts codes into the buffer: all of them, or none.
func (k *Keyboard) queue(codes []uint8) {
	s := &k.s
	if s.Overrun || int(s.Len)+len(codes) > len(s.Codes) {
		s.Overrun = true
		return
	}
	for _, b := range codes {
		s.Codes[(s.Head+s.Len)&15] = b
		s.Len++
	}
}

// down tells whether a key of some is down.
func (k *Keyboard) down(some ...Key) bool {
	for _, key := range some {
		if k.s.Down[key>>3]>>(key&7)&1 != 0 {
			return true
		}
	}
	return false
}

// turn presses or releases a key. While the keyboard does not scan nobody sees it.
func (k *Keyboard) turn(stroke Keystroke) {
	s := &k.s
	bit := uint8(1) << (stroke.Key & 7)
	s.Down[stroke.Key>>3] &^= bit
	if !stroke.Released {
		s.Down[stroke.Key>>3] |= bit
	}
	if !s.Scanning {
		return
	}
	if !stroke.Released || s.Held == stroke.Key {
		s.Held = 0
		k.repeat.Stop()
	}
	if stroke.Held && stroke.Key != keyPause {
		s.Held = stroke.Key
		k.repeat.Set(k.m.after(k.repeatDelay()))
	}
	k.queue(k.codes(stroke.Key, stroke.Released))
	k.c.settle()
}

// codes are what a key sends, given the keys that are down: Print Screen and
// Pause send otherwise with Ctrl, Shift or Alt.
func (k *Keyboard) codes(key Key, released bool) []uint8 {
	set := k.s.Set
	switch {
	case key == keyPrint && k.down(keyLeftAlt, keyRightAlt):
		return keySysRq.scanCodes(set, released)
	case key == keyPrint && k.down(keyLeftShift, keyRightShift, keyLeftCtrl, keyRightCtrl):
	case key == keyPrint:
		shift := (keyLeftShift | scanRelease).scanCodes(set, released)
		if released {
			return append(key.scanCodes(set, true), shift...)
		}
		return append(shift, key.scanCodes(set, false)...)
	case key == keyPause && released:
		return nil
	case key == keyPause && k.down(keyLeftCtrl, keyRightCtrl):
		return append(key.scanCodes(set, false), key.scanCodes(set, true)...)
	case key == keyPause:
		return pauseCodes(set)
	}
	return key.scanCodes(set, released)
}

// again is the repetition of the key that is held. It rests while the buffer is full.
func (k *Keyboard) again() {
	k.queue(k.codes(k.s.Held, false))
	k.c.settle()
}

// repeatDelay and repeatPeriod are those of the rate that was set, in microseconds.
// [IBM PS/2 Hardware Interface Technical Reference, Keyboards, Set Typematic Rate/Delay]
func (k *Keyboard) repeatDelay() uint64 { return uint64(k.s.Rate>>5&3+1) * 250_000 }
func (k *Keyboard) repeatPeriod() uint64 {
	return uint64(8+k.s.Rate&7) << (k.s.Rate >> 3 & 3) * 4170
}

// polled notes that the guest has looked for a key in vain, while none was on its way.
func (k *Keyboard) polled() {
	if !k.sends() && k.s.Polls < wantedPolls {
		k.s.Polls++
	}
}

// proceed lets the keyboard go on with what it does by itself: repeat the key that is held,
// and be typed on once the guest wants keys: it has looked for one wantedPolls times,
// or has unmasked IRQ 1.
func (k *Keyboard) proceed() {
	s := &k.s
	if s.Held != 0 && !s.Overrun && !k.repeat.Active() {
		k.repeat.Set(k.m.after(k.repeatPeriod()))
	}
	pause := uint64(typingPause)
	if !s.Listening {
		if s.Polls < wantedPolls && !k.c.interrupts() {
			return
		}
		s.Listening, pause = true, beginPause
	}
	if k.keys != nil && !k.typing.Active() && k.ready() {
		k.typing.Set(k.m.after(pause))
	}
}

// ready tells whether the guest has taken all that was sent, and can take more.
func (k *Keyboard) ready() bool {
	return k.s.Scanning && k.s.Awaits == 0 && k.c.enabled() && !k.c.s.Full && !k.sends()
}

// typeNext is a timer's: the next keystroke, if the guest can take it still.
func (k *Keyboard) typeNext(now uint64) {
	if !k.ready() {
		return
	}
	k.m.UART.out.Flush() // a prompt without newline; its error comes again at the end of the run
	idle := k.keys.live() && k.m.CPU.State().Halted
	stroke, ok, more := k.keys.take(k.m.ctx, int(k.s.Taken), now, idle)
	switch {
	case !ok && more:
		k.typing.Set(k.m.after(livePause))
		return
	case !ok:
		return
	}
	k.s.Taken += strokeSize
	if stroke.Key == 0 {
		k.typing.Set(k.m.after(uint64(stroke.Wait / time.Microsecond)))
		return
	}
	k.turn(stroke)
}

// restored follows a restored state: what is typed now is another text, unless
// resumed says that it is the same.
func (k *Keyboard) restored(resumed bool) {
	if !resumed {
		k.s.Taken = 0
	}
	k.proceed()
}
