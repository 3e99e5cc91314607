package native

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// host is what /proc/cpuinfo and uname say.
type host struct {
	model  string // with the vendor: AuthenticAMD, GenuineIntel; and whether under a hypervisor
	kernel string
}

func readHost() (h host, err error) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return h, err
	}
	value := func(key string) string {
		for line := range strings.Lines(string(text)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
				return strings.TrimSpace(v)
			}
		}
		return ""
	}
	h.model = value("vendor_id") + " " + value("model name")
	has := func(flag string) bool { return slices.Contains(strings.Fields(value("flags")), flag) }
	if !has("fsgsbase") {
		return h, errors.New("the processor or its kernel has no FSGSBASE, which the helper needs")
	}
	if has("hypervisor") {
		h.model += " under a hypervisor"
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return h, err
	}
	h.kernel = "Linux " + unix.ByteSliceToString(u.Release[:])
	return h, nil
}

// stepShare is the helper's exit status when it finds no shared memory.
const stepShare = 1

// refusal says which step of the helper's preparation the kernel refused.
func refusal(step int) string {
	words := []string{
		stepShare: "to map the shared memory",
		2:         "to map memory at 10000000",
		3:         "to map memory at 20000000",
		4:         "modify_ldt",
		5:         "sigaltstack",
		6:         "rt_sigaction",
		7:         "setitimer",
		8:         "prctl(PR_SET_NO_NEW_PRIVS)",
		9:         "a seccomp filter",
	}
	if step < len(words) {
		return "the kernel refuses " + words[step]
	}
	return fmt.Sprintf("the helper ended with status %d", step)
}
