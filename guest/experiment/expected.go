package experiment

import "math"

// Expected is the chance of a double fault that arithmetic gives, for the
// settings of Sweep. Only the number of a page's top-level entry counts: of how
// many entries the area consists, and which of them boot has made.
func (s Setting) Expected() float64 {
	switch {
	case s.Area == "modules":
		return 0 // one entry, the kernel's image has it
	case s.Tables == "advance":
		return 0
	case s.Place == "anywhere":
		return s.expectedAnywhere()
	}
	first, last := 0, 0
	if s.Place == "shifted" {
		first, last = 1, 1024
	}
	sum := 0.0
	for start := first; start <= last; start++ {
		sum += s.expectedAt(start)
	}
	return sum / float64(last-first+1)
}

// entryPages is how many pages a top-level entry covers, and entries how many
// of them the area of vmalloc has.
func (s Setting) entryPages() int {
	if s.Bits == 64 {
		return 1 << 27
	}
	return 1 << 10
}

func (s Setting) entries() float64 {
	if s.Bits == 64 {
		return 64
	}
	return 30
}

// expectedAt is for modules one behind the other from a page of the area on,
// with a page free behind each.
func (s Setting) expectedAt(start int) float64 {
	size := s.entryPages()
	behind := start + s.Boot*(s.BootPages+1)
	there := -1 // the last entry made at boot
	if s.Boot > 0 {
		there = (behind - 2) / size
	}
	base := behind + s.Late*2
	if there < 0 && start/size > 0 {
		there = start/size - 1 // the entries before the start are nobody's concern
	}
	missing, cases := 0, 0
	for h := range s.Pages {
		if s.Handler != Any && s.Handler != h {
			continue
		}
		cases++
		if (base+h)/size > there || s.Data == "behind" && (base+s.Pages)/size > there {
			missing++
		}
	}
	lacking := float64(missing) / float64(cases)
	if s.Late == 0 || lacking == 0 {
		return lacking
	}
	// One late driver under the handler's entry: who used it has the entry.
	return 1 - math.Pow(float64(s.Use)/100, float64(s.Processes))
}

// expectedAnywhere is for modules whose places are drawn, each apart from those
// before it: to the first order, the places of those before as independent.
func (s Setting) expectedAnywhere() float64 {
	n, size, boot := s.entries(), float64(s.entryPages()), float64(s.Boot)
	// A module touches a given entry if it begins under it, or less than its size
	// before.
	touch := (float64(s.BootPages-1)/size + 1) / n
	one := math.Pow(1-touch, boot)    // a given entry is missing
	both := math.Pow(1-2*touch, boot) // two given entries are

	// Where boot has made an entry, it has also taken places, so that the next
	// module lies a little more often under one that is missing.
	missing := func(pages int) float64 {
		taken := boot * float64(s.BootPages+1+pages)
		return min(1, one/(1-taken/(n*size)))
	}
	switch s.Data {
	case "apart":
		handler, data := missing(s.Pages), missing(1)
		return handler/n + (handler+data-both*handler*data/(one*one))*(1-1/n)
	case "behind":
		// Between handler and data another entry may begin.
		handler, between := missing(s.Pages+1), float64(s.Pages+1)/2/size
		return handler + between*(handler-both*handler*handler/(one*one))
	}
	return missing(s.Pages)
}
