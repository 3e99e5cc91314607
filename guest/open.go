package guest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxFile bounds an image or module file, in bytes.
const maxFile = 1 << 30

// Open reads an image: a built-in kernel by its name, or else a file. A name
// with a slash is always a file.
func Open(name string) ([]byte, error) {
	if strings.ContainsAny(name, `/\`) {
		return ReadFile(name, maxFile, "an image")
	}
	if k, ok := KernelNamed(name); ok {
		return k.Image, nil
	}
	data, err := ReadFile(name, maxFile, "an image")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w, and no built-in kernel of this name", err)
	}
	return data, err
}

// ReadFile reads a file that has at most so many bytes, some MiB, because it is what the
// error calls it. It reads no more of a larger one, nor of a device without an end.
func ReadFile(name string, most int, what string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > most {
		return nil, fmt.Errorf("%s: larger than the %d MiB that %s may have", name, most>>20, what)
	}
	return data, nil
}

// OpenInitrd reads what an option such as --initrd names for this image: the one file
// of a Linux kernel, whose name may have any characters, or a list of modules. Several
// archives for Linux are one file that has them all, one behind the other. Of a module
// for multiboot 2 the command line is what follows the file's name, as GRUB has it.
func (img *Image) OpenInitrd(text string) ([]Module, error) {
	if img.Format != Linux {
		return openModules(text, img.Format != Multiboot2)
	}
	data, err := ReadFile(text, maxFile, "an initrd")
	if err != nil {
		return nil, fmt.Errorf("initrd: %w", err)
	}
	return []Module{{Data: data}}, nil
}

// OpenModules reads the modules of a list: FILE[ args][,FILE[ args]...], where
// a doubled comma stands for one. The file's name ends at a space; where the
// names of several files begin alike, the longest one that exists is taken.
// A module's command line is its whole item.
func OpenModules(list string) ([]Module, error) { return openModules(list, true) }

// openModules is OpenModules, with the files' names in the command lines or without.
func openModules(list string, named bool) ([]Module, error) {
	var mods []Module
	for _, item := range splitModules(list) {
		file := moduleFile(item)
		data, err := ReadFile(file, maxFile, "a module")
		if err != nil {
			return nil, fmt.Errorf("module: %w", err)
		}
		if !named {
			item = strings.TrimSpace(item[len(file):])
		}
		mods = append(mods, Module{Data: data, Cmdline: item})
	}
	return mods, nil
}

// splitModules splits at single commas.
func splitModules(list string) []string {
	const mark = "\x00"
	items := strings.Split(strings.ReplaceAll(list, ",,", mark), ",")
	for i := range items {
		items[i] = strings.ReplaceAll(items[i], mark, ",")
	}
	return items
}

// moduleFile gives the file name at the start of an item.
func moduleFile(item string) string {
	for n := len(item); n > 0; n = strings.LastIndexByte(item[:n], ' ') {
		if _, err := os.Stat(item[:n]); err == nil {
			return item[:n]
		}
	}
	name, _, _ := strings.Cut(item, " ")
	return name
}
