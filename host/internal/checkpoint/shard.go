package checkpoint

import (
	"errors"
	"fmt"
	"os"
)

// A shard is an open file of tensors, mapped into memory where the system can.
type shard struct {
	*os.File
	mapped []byte // nil: it is read instead
}

func openShard(path string) (*shard, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.Join(fmt.Errorf("%s is not a regular file", path), f.Close())
	}
	return &shard{File: f, mapped: mapFile(f, info.Size())}, info.Size(), nil
}

// bytes are n bytes from offset at on, which belong to the file: they are valid until it is closed, and not to be
// changed. Where the file is not mapped they are read into buffer's memory.
func (s *shard) bytes(buffer *[]byte, at int64, n int) ([]byte, error) {
	if s.mapped != nil {
		return s.mapped[at : at+int64(n) : at+int64(n)], nil
	}
	if cap(*buffer) < n {
		*buffer = make([]byte, n)
	}
	raw := (*buffer)[:n]
	_, err := s.ReadAt(raw, at)
	return raw, err
}

func (s *shard) close() error {
	err := unmapFile(s.mapped)
	s.mapped = nil
	return errors.Join(err, s.Close())
}
