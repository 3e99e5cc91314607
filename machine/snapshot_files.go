package machine

import (
	"bufio"
	"bytes"
	"fmt"
)

// sectionFiles has Config.Files in pieces, one after the other, if there are any.
const sectionFiles = "files"

// savedFile is a record of that section: a piece of a file, all but the last of
// a file full. An empty file has one piece.
type savedFile struct {
	Name [MaxFileName + 1]uint8
	Size uint32 // of the whole file
	Data [1024]uint8
}

// appendFiles appends the section of the files.
func appendFiles(b []byte, files []File) []byte {
	var pieces []savedFile
	for _, f := range files {
		for rest := f.Data; ; {
			p := savedFile{Size: uint32(len(f.Data))}
			copy(p.Name[:], f.Name)
			rest = rest[copy(p.Data[:], rest):]
			if pieces = append(pieces, p); len(rest) == 0 {
				break
			}
		}
	}
	b = appendHead(b, sectionFiles, describeFields(fieldsOf(new(savedFile))), len(pieces))
	for i := range pieces {
		b = appendNumbers(b, fieldsOf(&pieces[i]))
	}
	return b
}

// files reads the section of the files.
func (s *section) files(r *bufio.Reader) (files []File, err error) {
	record, missing, size := make([]byte, s.size), 0, 0
	for range s.records {
		var p savedFile
		if err := s.record(r, record, fieldsOf(&p)); err != nil {
			return nil, err
		}
		if missing == 0 {
			if size += int(p.Size); size > MaxFiles || len(files) == maxFileKeys {
				return nil, errDamaged
			}
			files = append(files, File{Name: string(bytes.TrimRight(p.Name[:], "\x00"))})
			missing = int(p.Size)
		}
		f := &files[len(files)-1]
		n := min(missing, len(p.Data))
		f.Data = append(f.Data, p.Data[:n]...)
		missing -= n
	}
	if missing != 0 {
		return nil, errDamaged
	}
	return files, nil
}

// setFiles gives a machine that is being restored its files.
func (m *Machine) setFiles(files []File) error {
	m.cfg.Files = files
	if err := CheckFiles(m.cfg.Board, files); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return nil
}
