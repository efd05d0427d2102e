package arrow

import (
	"encoding/binary"
	"errors"
)

var errBroken = errors.New("damaged Arrow message: an offset leads outside of it")

// A flat is a flatbuffer that need not be a valid one: what lies outside of it reads as zero, and broken tells.
type flat struct {
	b      []byte
	broken bool
}

// A table is one of a flatbuffer's tables. Tables at position 0 are absent, and all their fields are.
type table struct {
	*flat
	at int
}

func (f *flat) root() table { return table{f, f.follow(0)} }

// uint reads a little-endian number.
func (f *flat) uint(at, size int) uint64 {
	if at < 0 || at > len(f.b)-size {
		f.broken = true
		return 0
	}
	var word [8]byte
	copy(word[:], f.b[at:at+size])
	return binary.LittleEndian.Uint64(word[:])
}

// follow reads the offset at a position and returns where it leads: onwards, and into the buffer.
func (f *flat) follow(at int) int {
	offset := int(f.uint(at, 4))
	if offset == 0 || offset > len(f.b)-at {
		f.broken = true
		return 0
	}
	return at + offset
}

// field is the position of a field of the table, 0 when it has its default.
func (t table) field(slot int) int {
	if t.at == 0 {
		return 0
	}
	vtable := t.at - int(int32(t.uint(t.at, 4)))
	entry := 4 + 2*slot
	if entry+2 > int(t.uint(vtable, 2)) {
		return 0
	}
	offset := int(t.uint(vtable+entry, 2))
	if offset == 0 {
		return 0
	}
	return t.at + offset
}

// number is an integer of size bytes, not sign-extended.
func (t table) number(slot, size int, preset uint64) uint64 {
	if at := t.field(slot); at != 0 {
		return t.uint(at, size)
	}
	return preset
}

func (t table) table(slot int) table {
	if at := t.field(slot); at != 0 {
		return table{t.flat, t.follow(at)}
	}
	return table{t.flat, 0}
}

// vector is where the elements of a vector start, and how many there are.
func (t table) vector(slot, size int) (start, n int) {
	at := t.field(slot)
	if at == 0 {
		return 0, 0
	}
	start = t.follow(at)
	n = int(t.uint(start, 4))
	if start += 4; n > (len(t.b)-start)/size {
		t.broken = true
		return 0, 0
	}
	return start, n
}

func (t table) text(slot int) string {
	start, n := t.vector(slot, 1)
	return string(t.b[start : start+n])
}
