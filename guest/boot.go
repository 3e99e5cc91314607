package guest

import "x86emu/machine"

// Boot makes a machine with an image in it, at the image's first instruction.
// image is what Open takes: the name of a built-in kernel or of a file. A built-in kernel
// that wants a disk or keys gets its own if cfg has none.
func Boot(image string, cfg machine.Config, o Options) (*machine.Machine, error) {
	data, err := Open(image)
	if err != nil {
		return nil, err
	}
	parsed, err := Parse(data)
	if err != nil {
		return nil, err
	}
	AddDisk(image, &cfg)
	if cfg.Keys == nil {
		cfg.Keys = BuiltinKeys(image)
	}
	if err := parsed.Configure(&cfg, o); err != nil {
		return nil, err
	}
	m, err := machine.New(cfg)
	if err != nil {
		return nil, err
	}
	if err := parsed.Load(m, o); err != nil {
		return nil, err
	}
	return m, nil
}
