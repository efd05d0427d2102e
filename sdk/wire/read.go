package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unsafe"
)

// A Frame is a validated view of a received frame. It keeps its first error: the columns asked for after that are
// empty, and Err tells. What the columns return is copied out of the frame, which may be overwritten afterwards. Texts
// of a frame that is lent lie in it.
type Frame struct {
	Kind  Kind
	Rows  int
	Batch uint64

	lent    bool
	data    []byte
	columns []column
	claimed int64 // bytes that the columns checked so far lie in
	err     error
}

// A column is a directory entry whose ranges have been checked.
type column struct {
	id       Column
	typ      columnType
	rows     int
	children int    // list: rows of the child columns
	data     []byte // values
	offsets  []byte // n+1 u32, never falling, within data or children
	valid    []byte // bits, nil when all values exist
}

// Parse validates the header, the directory and every offset, length and count of a frame.
func Parse(data []byte) (*Frame, error) {
	le := binary.LittleEndian
	switch {
	case len(data) > MaxFrame:
		return nil, fmt.Errorf("frame of %d bytes is larger than %d MiB", len(data), MaxFrame>>20)
	case len(data) < headerSize:
		return nil, fmt.Errorf("frame of %d bytes is shorter than its header", len(data))
	case le.Uint32(data) != magic:
		return nil, errors.New("frame does not start with DPF1")
	case le.Uint16(data[4:]) != version:
		return nil, fmt.Errorf("frame of version %d, not %d", le.Uint16(data[4:]), version)
	case int64(le.Uint32(data[16:])) != int64(len(data)):
		return nil, fmt.Errorf("frame says %d bytes and has %d", le.Uint32(data[16:]), len(data))
	case le.Uint32(data[8:]) > MaxRows:
		return nil, fmt.Errorf("frame says %d rows, more than %d", le.Uint32(data[8:]), MaxRows)
	}
	count := int(le.Uint16(data[12:]))
	if count > MaxColumns || headerSize+count*entrySize > len(data) {
		return nil, fmt.Errorf("frame of %d bytes says %d columns", len(data), count)
	}
	f := &Frame{
		Kind: Kind(le.Uint16(data[6:])), Rows: int(le.Uint32(data[8:])), Batch: le.Uint64(data[24:]),
		data: data, columns: make([]column, 0, count),
	}
	for i := range count {
		if err := f.admit(data[headerSize+i*entrySize:]); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// admit checks one directory entry and keeps it.
func (f *Frame) admit(entry []byte) error {
	le := binary.LittleEndian
	c := column{id: Column(le.Uint16(entry)), typ: columnType(entry[2]), rows: f.Rows}
	if f.find(c.id) != nil {
		return fmt.Errorf("column %#x stands twice", c.id)
	}
	if (entry[3]&flagChild != 0) != c.id.child() {
		return fmt.Errorf("column %#x: its child flag is wrong", c.id)
	}
	children := int64(le.Uint32(entry[entryChildRows:]))
	if children > MaxFrame {
		return fmt.Errorf("column %#x says %d child rows", c.id, children)
	}
	if c.children = int(children); c.id.child() {
		c.rows = int(children)
	}
	if err := c.slice(f, entry); err != nil {
		return fmt.Errorf("column %#x: %w", c.id, err)
	}
	f.columns = append(f.columns, c)
	return nil
}

// slice cuts the column's parts out of the frame.
func (c *column) slice(f *Frame, entry []byte) (err error) {
	le := binary.LittleEndian
	size := int64(le.Uint32(entry[entryDataLen:]))
	if c.typ < typeU8 || c.typ > typeList {
		return fmt.Errorf("unknown type %d", c.typ)
	}
	if c.typ == typeList {
		size = 0
	} else if c.data, err = f.span("data", le.Uint32(entry[entryData:]), size); err != nil {
		return err
	}
	if w := c.typ.width(); w > 0 && size != int64(w)*int64(c.rows) {
		return fmt.Errorf("%d bytes for %d values of %d", size, c.rows, w)
	} else if w == 0 {
		if c.offsets, err = f.span("offsets", le.Uint32(entry[entryOffsets:]), 4*int64(c.rows+1)); err != nil {
			return err
		}
		if err = c.monotone(); err != nil {
			return err
		}
	}
	if entry[3]&flagNullable != 0 {
		c.valid, err = f.span("validity", le.Uint32(entry[entryValid:]), int64(c.rows+7)/8)
	}
	return err
}

// span returns size bytes of the frame from an aligned place behind the header. Columns that claim more bytes than the
// frame has lie over each other: refusing them bounds the work of reading a frame by its length.
func (f *Frame) span(what string, from uint32, size int64) ([]byte, error) {
	if from%8 != 0 || from < headerSize || int64(from)+size > int64(len(f.data)) {
		return nil, fmt.Errorf("%s: %d bytes from %d do not fit a frame of %d", what, size, from, len(f.data))
	}
	if f.claimed += size; f.claimed > int64(len(f.data)) {
		return nil, fmt.Errorf("%s: the columns overlap", what)
	}
	return f.data[from : int64(from)+size], nil
}

// monotone checks that the offsets never fall and end within what they point into.
func (c *column) monotone() error {
	end, before := uint32(len(c.data)), uint32(0)
	if c.typ == typeList {
		end = uint32(c.children)
	}
	for i := range c.rows + 1 {
		at := c.offset(i)
		if at < before || at > end {
			return fmt.Errorf("offset %d is %d, after %d and with an end at %d", i, at, before, end)
		}
		before = at
	}
	return nil
}

func (c *column) offset(i int) uint32 { return binary.LittleEndian.Uint32(c.offsets[4*i:]) }

// Err returns the first error: a column that is missing, of another type, of a wrong number of rows or with a forbidden
// value.
func (f *Frame) Err() error { return f.err }

func (f *Frame) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

func (f *Frame) find(id Column) *column {
	for i := range f.columns {
		if f.columns[i].id == id {
			return &f.columns[i]
		}
	}
	return nil
}

// has tells whether the frame holds the column.
func (f *Frame) has(id Column) bool { return f.find(id) != nil }

// require makes the absence of a column an error.
func (f *Frame) require(ids ...Column) {
	for _, id := range ids {
		if !f.has(id) {
			f.fail("column %#x is missing", id)
		}
	}
}

// expect makes another kind of frame an error.
func (f *Frame) expect(kind Kind) {
	if f.Kind != kind {
		f.fail("frame of kind %#x, not %#x", f.Kind, kind)
	}
}

// column returns the column when it is there and good for n rows of type t. An absent column is nil, and an error only
// when it is the child column of lists that have elements.
func (f *Frame) column(id Column, t columnType, n int) *column {
	c := f.find(id)
	switch {
	case f.err != nil:
		return nil
	case c == nil && id.child() && n > 0:
		f.fail("column %#x is missing", id)
		return nil
	case c == nil:
		return nil
	case c.typ != t:
		f.fail("column %#x has type %d, not %d", id, c.typ, t)
		return nil
	case c.rows != n:
		f.fail("column %#x has %d rows, not %d", id, c.rows, n)
		return nil
	}
	return c
}

// fixed reads a column of n values with get, which gets the column's bytes and an index. An absent column reads as
// zeros. After an error it returns nil, as all columns do.
func fixed[T any](f *Frame, id Column, t columnType, n int, get func([]byte, int) T) []T {
	c := f.column(id, t, n)
	if f.err != nil {
		return nil
	}
	values := make([]T, n)
	if c != nil {
		for i := range values {
			values[i] = get(c.data, i)
		}
	}
	return values
}

func (f *Frame) u8(id Column, n int) []uint8 {
	return fixed(f, id, typeU8, n, func(b []byte, i int) uint8 { return b[i] })
}

func (f *Frame) u16(id Column, n int) []uint16 {
	return fixed(f, id, typeU16, n, func(b []byte, i int) uint16 { return binary.LittleEndian.Uint16(b[2*i:]) })
}

func (f *Frame) u32(id Column, n int) []uint32 {
	return fixed(f, id, typeU32, n, func(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) })
}

func (f *Frame) i64(id Column, n int) []int64 {
	return fixed(f, id, typeI64, n, func(b []byte, i int) int64 { return int64(binary.LittleEndian.Uint64(b[8*i:])) })
}

func (f *Frame) f32(id Column, n int) []float64 {
	return fixed(f, id, typeF32, n, func(b []byte, i int) float64 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
	})
}

func (f *Frame) f64(id Column, n int) []float64 {
	return fixed(f, id, typeF64, n, func(b []byte, i int) float64 {
		return math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	})
}

// A textColumn is a column of byte strings, which lie in one copy of its data or in a frame that is lent.
type textColumn struct {
	all  string
	from *column // nil: all strings are empty
}

// texts reads a column of n byte strings.
func (f *Frame) texts(id Column, n int) textColumn {
	c := f.column(id, typeBytes, n)
	if c == nil {
		return textColumn{}
	}
	all := unsafe.String(unsafe.SliceData(c.data), len(c.data))
	if !f.lent {
		all = strings.Clone(all)
	}
	return textColumn{all, c}
}

func (t textColumn) at(i int) string {
	if t.from == nil {
		return ""
	}
	return t.all[t.from.offset(i):t.from.offset(i+1)]
}

// list reads a column of n lists: the elements of list i are from[i] to from[i+1] of the child columns, which have
// children rows. An absent column reads as empty lists.
func (f *Frame) list(id Column, n int) (from []int, children int) {
	c := f.column(id, typeList, n)
	if f.err != nil {
		return nil, 0
	}
	from = make([]int, n+1)
	if c == nil {
		return from, 0
	}
	for i := range from {
		from[i] = int(c.offset(i))
	}
	return from, c.children
}

// exists reads which of the n values of a column exist. Those of an absent column do not.
func (f *Frame) exists(id Column, n int) func(int) bool {
	c := f.find(id)
	switch {
	case c == nil || c.rows != n:
		return func(int) bool { return false }
	case c.valid == nil:
		return func(int) bool { return true }
	}
	return func(i int) bool { return c.valid[i/8]&(1<<(i%8)) != 0 }
}
