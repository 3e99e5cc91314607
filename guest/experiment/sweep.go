package experiment

// Sweep is the plan of the experiment: what it varies.
func Sweep() []Panel {
	usual := Setting{Bits: 32, Area: "vmalloc", Place: "row", BootPages: 16, Pages: 64,
		Handler: Any, Data: "behind", Tables: "copied", Processes: 4}
	with := func(change func(*Setting)) Setting {
		s := usual
		change(&s)
		return s
	}
	return []Panel{
		{
			Name: "boot", Title: "Modules one behind the other", X: "modules loaded before the first process",
			Series: over([]int{0, 1, 2, 4, 8, 16, 32, 48, 56, 58, 60, 61, 64}, func(s *Setting, x int) { s.Boot = x },
				named{"32 bits", usual},
				named{"32 bits, start shifted", with(func(s *Setting) { s.Place = "shifted" })},
				named{"64 bits, vmalloc", with(func(s *Setting) { s.Bits, s.Place = 64, "shifted" })},
				named{"64 bits, modules", with(func(s *Setting) { s.Bits, s.Place, s.Area = 64, "shifted", "modules" })},
			),
		},
		{
			Name: "anywhere", Title: "Modules anywhere in the area", X: "modules loaded before the first process",
			Series: over([]int{0, 1, 2, 4, 8, 16, 32, 64}, func(s *Setting, x int) { s.Boot, s.Place = x, "anywhere" },
				named{"32 bits", usual},
				named{"32 bits, data apart", with(func(s *Setting) { s.Data = "apart" })},
				named{"32 bits, entries in advance", with(func(s *Setting) { s.Tables = "advance" })},
				named{"64 bits, vmalloc", with(func(s *Setting) { s.Bits = 64 })},
				named{"64 bits, modules", with(func(s *Setting) { s.Bits, s.Area = 64, "modules" })},
			),
		},
		{
			Name: "size", Title: "Size and layout, start shifted, 4 modules before", X: "pages of the module's code",
			Series: over([]int{16, 64, 128, 256, 512, 1024}, func(s *Setting, x int) {
				s.Pages, s.Place, s.Boot = x, "shifted", 4
				if s.Handler > 0 {
					s.Handler = x - 1
				}
			},
				named{"32 bits, handler first, no data", with(func(s *Setting) { s.Handler, s.Data = 0, "none" })},
				named{"32 bits, handler anywhere, no data", with(func(s *Setting) { s.Data = "none" })},
				named{"32 bits, handler last, no data", with(func(s *Setting) { s.Handler, s.Data = 1, "none" })},
				named{"32 bits, handler first, data behind", with(func(s *Setting) { s.Handler = 0 })},
				named{"64 bits, vmalloc", with(func(s *Setting) { s.Bits = 64 })},
			),
		},
		{
			Name: "processes", Title: "A driver used before, or not; none at boot", X: "processes that have a page fault",
			Series: over([]int{1, 2, 4, 8, 16}, func(s *Setting, x int) { s.Processes, s.Late = x, 1 },
				named{"32 bits, used by 50 %", with(func(s *Setting) { s.Use = 50 })},
				named{"32 bits, used by 90 %", with(func(s *Setting) { s.Use = 90 })},
				named{"64 bits, vmalloc, used by 90 %", with(func(s *Setting) { s.Bits, s.Use = 64, 90 })},
				named{"64 bits, modules, used by 90 %", with(func(s *Setting) { s.Bits, s.Area, s.Use = 64, "modules", 90 })},
			),
		},
	}
}

type named struct {
	name string
	Setting
}

// over makes a series of each setting: set gives the variable its values.
func over(values []int, set func(*Setting, int), settings ...named) []Series {
	var all []Series
	for _, n := range settings {
		s := Series{Name: n.name}
		for _, x := range values {
			at := n.Setting
			set(&at, x)
			s.Points = append(s.Points, Point{x, at})
		}
		all = append(all, s)
	}
	return all
}
