package decode

import (
	"sync"
	"sync/atomic"
)

// formKey holds every bit of an encoding that decides its operation and its
// operand kinds.
//
//	 0-7  opcode               14  REX.W or, without it, 15  66
//	 8-9  map                  16  67
//	10-11 mode (16, 32, 64)    17  mod = 3
//	12-13 F2, F3: the last     18-20 ModRM.reg   21-23 ModRM.rm   24 REX.B of 90
type formKey uint32

const (
	keyMap   = 8
	keyMode  = 10
	keyRepne = 12
	keyRep   = 13
	keyW     = 14
	key66    = 15
	key67    = 16
	keyMod3  = 17
	keyReg   = 18
	keyRM    = 21
	keyB     = 24
)

// newKey makes the part of the key that does not come from ModRM.
func newKey(in *Inst, op uint8) formKey {
	k := formKey(op) | formKey(in.Map)<<keyMap | formKey(in.Mode>>5)<<keyMode
	p := formKey(in.Prefix)
	k |= p >> 2 & 1 << keyRepne // PrefixRepne
	k |= p >> 1 & 1 << keyRep
	k |= p >> 7 & 1 << keyW
	k |= p >> 3 & 1 << key66
	k |= p >> 4 & 1 << key67
	return k
}

func (k formKey) opcode() uint8      { return uint8(k) }
func (k formKey) opMap() uint8       { return uint8(k >> keyMap & 3) }
func (k formKey) mode() Mode         { return [4]Mode{Mode16, Mode32, Mode64, Mode64}[k>>keyMode&3] }
func (k formKey) has(bit uint8) bool { return k>>bit&1 != 0 }
func (k formKey) reg() uint8         { return uint8(k >> keyReg & 7) }
func (k formKey) rm() uint8          { return uint8(k >> keyRM & 7) }
func (k formKey) shape() shape       { return shapes[k.opMap()][k.opcode()] }

// prefixes gives the key's prefixes as in Inst.Prefix.
func (k formKey) prefixes() (p Prefix) {
	for _, b := range [...]struct {
		bit uint8
		p   Prefix
	}{{keyRepne, PrefixRepne}, {keyRep, PrefixRep}, {keyW, PrefixREX | PrefixRexW}, {key66, PrefixOpSize}, {key67, PrefixAddr}} {
		if k.has(b.bit) {
			p |= b.p
		}
	}
	return p
}

// Where an operand's register number comes from.
const (
	fixed      = iota
	fromReg    // ModRM.reg and REX.R
	fromRM     // ModRM.rm and REX.B
	fromOpcode // the opcode's low three bits and REX.B
)

// template makes an operand.
type template struct {
	arg  Arg
	from uint8
	mask uint8 // of the register number: 7 where REX does not apply
}

// form is what is known of all instructions with one key. It never changes
// once it is in the table.
type form struct {
	key      formKey
	op       Op // 0: undefined
	props    Props
	opSize   uint8
	nargs    uint8
	quirk    quirk
	lockable bool
	imm      int8 // the immediate of an instruction whose opcode implies it
	read     uint16
	writ     uint16
	args     [4]template
	need     Feature // all of them, else older is the meaning
	older    *form   // nil: undefined
}

// formTable maps keys to forms: open addressing with linear probing, read
// without a lock. Writers hold mu; they publish an entry, or a whole grown
// table, with one atomic store.
type formTable struct {
	slots atomic.Pointer[[]atomic.Pointer[form]]
	mu    sync.Mutex
	count int
	limit int // of forms: then the table starts anew, so that guest code cannot fill the host
}

const (
	firstSlots = 1 << 12
	maxForms   = 1 << 16
)

var forms = newFormTable(maxForms)

func newFormTable(limit int) *formTable {
	t := &formTable{limit: limit}
	t.publish(make([]atomic.Pointer[form], firstSlots))
	return t
}

func (t *formTable) publish(slots []atomic.Pointer[form]) { t.slots.Store(&slots) }

func (k formKey) hash() uint32 { return uint32(k) * 0x9e3779b1 >> 7 }

// lookup gives the form of a key, learning it at first sight.
func (t *formTable) lookup(k formKey) *form {
	slots := *t.slots.Load()
	for i := int(k.hash()); ; i++ {
		f := slots[i&(len(slots)-1)].Load()
		if f == nil {
			return t.insert(k)
		}
		if f.key == k {
			return f
		}
	}
}

// insert learns a form and puts it into the table, doubled when half full.
func (t *formTable) insert(k formKey) *form {
	f := learn(k)
	t.mu.Lock()
	defer t.mu.Unlock()
	slots := *t.slots.Load()
	switch {
	case t.count >= t.limit:
		t.count = 0
		slots = make([]atomic.Pointer[form], firstSlots)
		t.publish(slots)
	case t.count*2 >= len(slots):
		grown := make([]atomic.Pointer[form], 2*len(slots))
		for i := range slots {
			if old := slots[i].Load(); old != nil {
				put(grown, old)
			}
		}
		slots = grown
		t.publish(slots)
	}
	f, added := put(slots, f)
	if added {
		t.count++
	}
	return f
}

// put stores a form, or gives the one with its key that is there already.
func put(slots []atomic.Pointer[form], f *form) (_ *form, added bool) {
	for i := int(f.key.hash()); ; i++ {
		slot := &slots[i&(len(slots)-1)]
		switch old := slot.Load(); {
		case old == nil:
			slot.Store(f)
			return f, true
		case old.key == f.key:
			return old, false
		}
	}
}
