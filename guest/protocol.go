package guest

import (
	"fmt"

	"x86emu/machine"
)

// protocol is how a kernel of some format is placed and told of its machine. An
// image without one is entered and told nothing.
type protocol interface {
	// settle gives the image where it goes in this much RAM: as it is, unless
	// it can run elsewhere and should.
	settle(img *Image, ram uint64) (*Image, error)
	// tell puts into memory what a kernel is told, with what the options name,
	// and gives the registers that lead to it.
	tell(m *machine.Machine, img *Image, o Options) (registers, error)
}

// registers are what a kernel finds in them; the others are zero.
type registers struct{ rax, rbx, rsi uint64 }

// fixed is a protocol's part for images that run where they were linked.
type fixed struct{}

func (fixed) settle(img *Image, _ uint64) (*Image, error) { return img, nil }

// moved is the image with all its addresses changed by the way from one place to
// another.
func (img *Image) moved(from, to uint64) *Image {
	if from == to {
		return img
	}
	c := *img
	c.Segments = make([]Segment, len(img.Segments))
	for i, s := range img.Segments {
		s.Addr += to - from
		c.Segments[i] = s
	}
	c.Entry += to - from
	return &c
}

// refuse tells of options that an image without a protocol cannot be given.
func (img *Image) refuse(o Options) error {
	const takers = "kernels of the multiboot, Linux and PVH protocols"
	switch {
	case len(o.Modules) > 0:
		return fmt.Errorf("modules are for %s, and this image is of another format: %s", takers, img.Format)
	case o.Cmdline != "":
		return fmt.Errorf("a command line is for %s, and this image is of another format: %s", takers, img.Format)
	}
	return nil
}
