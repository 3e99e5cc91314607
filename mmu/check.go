package mmu

// Rule names what decided a walk or an access.
type Rule uint8

const (
	RuleOK         Rule = iota // translated and allowed
	RuleNotPresent             // P = 0
	RuleReserved               // a reserved bit is set
	RuleUser                   // user access to a supervisor-mode address
	RuleSMEP                   // supervisor fetch from a user-mode address
	RuleSMAP                   // supervisor data access to a user-mode address
	RuleXD                     // fetch with XD = 1 at some level
	RuleWrite                  // write with R/W = 0 at some level
	RuleKeyAccess              // the page's protection key denies access
	RuleKeyWrite               // the page's protection key denies writes
)

func (r Rule) String() string {
	return [...]string{"ok", "P=0", "reserved bit", "U/S=0", "SMEP", "SMAP", "XD=1", "R/W=0", "PKRU.AD", "PKRU.WD"}[r]
}

// check decides whether an access is allowed by a translation.
// [SDM 3A, Determination of Access Rights]
func (m *MMU) check(r Rights, key uint8, a Access) Rule {
	user := r&RightUser != 0
	// A user-mode access needs a user-mode address, else #PF. [SDM 3A, Determination of Access Rights]
	if a&User != 0 && !user {
		return RuleUser
	}
	if a&Exec != 0 {
		// A supervisor-mode fetch from a user-mode address needs CR4.SMEP = 0, else
		// #PF. [SDM 3A, Determination of Access Rights]
		if user && a&User == 0 && m.smep {
			return RuleSMEP
		}
		// A fetch needs XD = 0 at every level, else #PF. [SDM 3A, Determination of Access Rights]
		if r&RightExec == 0 {
			return RuleXD
		}
		return RuleOK
	}
	// A supervisor-mode data access to a user-mode address needs CR4.SMAP = 0, or
	// to be explicit with EFLAGS.AC = 1, else #PF. [SDM 3A, Determination of Access Rights]
	if user && m.smap && a&(User|AC) == 0 {
		return RuleSMAP
	}
	// A write needs R/W = 1 at every level, in supervisor mode only if CR0.WP = 1,
	// else #PF. [SDM 3A, Determination of Access Rights]
	if a&Write != 0 && r&RightWrite == 0 && (a&User != 0 || m.wp) {
		return RuleWrite
	}
	if user && m.keys {
		return m.checkKey(key, a)
	}
	return RuleOK
}

// checkKey applies PKRU to a data access to a user-mode address.
// [SDM 3A, Protection Keys]
func (m *MMU) checkKey(key uint8, a Access) Rule {
	k := m.Ctl.PKRU >> (2 * (key & 15))
	// A data access needs ADi = 0, else #PF with PK. [SDM 3A, Protection Keys]
	if k&1 != 0 {
		return RuleKeyAccess
	}
	// A write needs WDi = 0, in supervisor mode only if CR0.WP = 1, else #PF with
	// PK. [SDM 3A, Protection Keys]
	if k&2 != 0 && a&Write != 0 && (a&User != 0 || m.wp) {
		return RuleKeyWrite
	}
	return RuleOK
}

// faultCode gives the error code of a fault by rule. The key's verdict is
// reported whatever other right is missing.
// [SDM 3A, Page-Fault Exceptions]
func (m *MMU) faultCode(rule Rule, r Rights, key uint8, a Access) uint32 {
	code := uint32(0)
	if a&Write != 0 {
		code |= PFWrite
	}
	if a&User != 0 {
		code |= PFUser
	}
	if a&Exec != 0 {
		code |= m.fetchCode
	}
	switch rule {
	case RuleNotPresent:
		return code
	case RuleReserved:
		return code | PFPresent | PFReserved
	}
	if m.keys && r&RightUser != 0 && a&Exec == 0 && m.checkKey(key, a) != RuleOK {
		code |= PFPKey
	}
	return code | PFPresent
}
