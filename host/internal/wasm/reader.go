package wasm

import (
	"fmt"
	"unicode/utf8"
)

// A reader reads the binary format. After the first error it reads zeros; err says what was wrong and where.
type reader struct {
	data    []byte // the whole module, so that a place in an error is a place in the file
	at, end int
	err     error
}

// fail keeps the first error, and ends the input.
func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("byte %d: %w", r.at, fmt.Errorf(format, args...))
	}
	r.at = r.end
}

func (r *reader) more() bool { return r.at < r.end }

func (r *reader) byte() byte {
	if r.at >= r.end {
		r.fail("unexpected end")
		return 0
	}
	b := r.data[r.at]
	r.at++
	return b
}

// bytes returns the next n bytes, which are the module's own.
func (r *reader) bytes(n int) []byte {
	if n < 0 || n > r.end-r.at {
		r.fail("%d bytes are said to follow, there are %d", n, r.end-r.at)
		return nil
	}
	b := r.data[r.at : r.at+n]
	r.at += n
	return b
}

// part cuts the next n bytes off as a reader of their own.
func (r *reader) part(n int) reader {
	start := r.at
	if r.bytes(n); r.err != nil {
		return reader{data: r.data, err: r.err}
	}
	return reader{data: r.data, at: start, end: r.at}
}

// u32 reads an unsigned number in LEB128.
func (r *reader) u32() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		if shift == 28 && b > 0x0f {
			break
		}
		v |= uint32(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	r.fail("number too large")
	return 0
}

// signed reads a signed number of at most so many bits in LEB128.
func (r *reader) signed(bits int) int64 {
	var v int64
	for shift := 0; shift < bits; shift += 7 {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if b&0x40 != 0 && shift < 57 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.fail("number too large")
	return 0
}

// index reads a number below n.
func (r *reader) index(what string, n int) uint32 {
	v := r.u32()
	if r.err == nil && int64(v) >= int64(n) {
		r.fail("%s %d, there are %d", what, v, n)
		return 0
	}
	return v
}

// count reads how many things follow: at most limit, and at most one a byte.
func (r *reader) count(what string, limit int) int {
	v := int64(r.u32())
	switch {
	case r.err != nil:
		return 0
	case v > int64(limit):
		r.fail("%d %s, at most %d are read", v, what, limit)
		return 0
	case v > int64(r.end-r.at):
		r.fail("%d %s do not fit in %d bytes", v, what, r.end-r.at)
		return 0
	}
	return int(v)
}

func (r *reader) name() string {
	name := r.bytes(r.count("bytes of a name", maxName))
	if !utf8.Valid(name) {
		r.fail("a name is not UTF-8")
	}
	return string(name)
}
