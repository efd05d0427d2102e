package plugin

import (
	"bytes"
	"cmp"
	"unsafe"

	"golang.org/x/sys/unix"
)

var zeros [pageSize]byte

// freeze makes the first size bytes a private mapping of a file that holds what they are. The system copies pages when
// they are written to, and thaw, which makes the bytes what they were, drops the copies: it costs what was written and
// not what there is.
func (l *linear) freeze(size int) (thaw func() error, err error) {
	if size == 0 {
		return func() error { return nil }, nil
	}
	file, err := unix.MemfdCreate("carebot-memory", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(file)
	if err := fillFile(file, l.mapped[:size]); err != nil {
		return nil, err
	}
	const access, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_FIXED | unix.MAP_NORESERVE
	_, err = unix.MmapPtr(file, 0, unsafe.Pointer(&l.mapped[0]), uintptr(size), access, flags)
	return func() error { return unix.Madvise(l.mapped[:size], unix.MADV_DONTNEED) }, err
}

// fillFile writes the pages that are not zero to a new file.
func fillFile(file int, content []byte) error {
	if err := unix.Ftruncate(file, int64(len(content))); err != nil {
		return err
	}
	for at := 0; at < len(content); at += pageSize {
		page := content[at : at+pageSize]
		if bytes.Equal(page, zeros[:]) {
			continue
		}
		if n, err := unix.Pwrite(file, page, int64(at)); err != nil || n < pageSize {
			return cmp.Or[error](err, unix.ENOSPC)
		}
	}
	return nil
}
