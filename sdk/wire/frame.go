package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Limits of a frame. A frame beyond them is malformed, whoever sent it.
const (
	MaxFrame   = 16 << 20 // bytes
	MaxRows    = 1 << 20
	MaxColumns = 1 << 12
)

// A Kind says what a frame holds. The answer to a request of kind k has kind k|Answer; rows answer rows in order.
type Kind uint16

// Answer marks the kinds that answer.
const Answer Kind = 0x80

// The kinds of frames. The first three are also the kinds of dp_run and dp_flush.
const (
	Documents Kind = 0x01 // -> ratings
	Dialogues Kind = 0x02 // -> verdicts
	Samples   Kind = 0x03 // -> judgements
	LogLik    Kind = 0x10 // model: contexts and continuations -> log-probabilities
	Texts     Kind = 0x11 // model: turns -> outputs of the head
	Embed     Kind = 0x12 // model: texts -> vectors
	Open      Kind = 0x20 // what an instance is opened with; has no answer
	Failure   Kind = 0x21 // answers a model request that failed: one row with a detail
)

// A columnType is the type of a column's values.
type columnType uint8

const (
	typeU8    columnType = 1
	typeU16   columnType = 2
	typeU32   columnType = 3
	typeI64   columnType = 4
	typeF32   columnType = 5
	typeF64   columnType = 6
	typeBytes columnType = 7 // n+1 offsets (u32) into the data
	typeList  columnType = 8 // n+1 offsets (u32) into the child columns
)

// width returns the bytes of one value, 0 for the types that have offsets.
func (t columnType) width() int {
	return [...]int{typeU8: 1, typeU16: 2, typeU32: 4, typeI64: 8, typeF32: 4, typeF64: 8, typeBytes: 0, typeList: 0}[t]
}

// Header and directory, little endian, laid out as the package comment says. Every offset counts from the start of the
// frame and is a multiple of 8.
const (
	magic   = 0x31465044 // "DPF1"
	version = 1

	headerSize = 32
	entrySize  = 24

	flagNullable = 1
	flagChild    = 2
)

// A Builder writes frames, one after the other, into a buffer that it keeps. The zero value is ready. Columns are added
// in the order in which they are to stand; their number is announced to Begin because the directory comes first.
type Builder struct {
	buf  []byte
	rows int
	next int // place of the next directory entry
	last int // place of the latest directory entry
	end  int // of the directory
	over bool
}

// Use makes the builder write into buf the frames that fit there. What buf holds is lost. What others write there
// meanwhile spoils the frame and does no other harm.
func (b *Builder) Use(buf []byte) { b.buf = buf[:0:len(buf)] }

// Begin starts a frame of rows rows and the given number of columns. The frame returned before becomes invalid.
func (b *Builder) Begin(kind Kind, rows, columns int, batch uint64) {
	size := headerSize + columns*entrySize
	if cap(b.buf) < size {
		b.buf = make([]byte, size, 2*size+1024)
	}
	b.buf = b.buf[:size]
	clear(b.buf)
	b.rows, b.next, b.end, b.over = rows, headerSize, size, rows > MaxRows || columns > MaxColumns
	le := binary.LittleEndian
	le.PutUint32(b.buf, magic)
	le.PutUint16(b.buf[4:], version)
	le.PutUint16(b.buf[6:], uint16(kind))
	le.PutUint32(b.buf[8:], uint32(rows))
	le.PutUint16(b.buf[12:], uint16(columns))
	le.PutUint64(b.buf[24:], batch)
}

// Finish returns the frame, valid until the next Begin, or an error when it has outgrown the limits.
func (b *Builder) Finish() ([]byte, error) {
	if b.over || len(b.buf) > MaxFrame {
		return nil, fmt.Errorf("frame of %d rows is larger than %d MiB", b.rows, MaxFrame>>20)
	}
	if left := b.end - b.next; left != 0 {
		panic(fmt.Sprintf("wire: %d columns were announced and not added", left/entrySize))
	}
	binary.LittleEndian.PutUint32(b.buf[16:], uint32(len(b.buf)))
	return b.buf, nil
}

// enter fills the directory entry of the next column, of n rows.
func (b *Builder) enter(c Column, t columnType, n int) {
	b.last, b.next = b.next, b.next+entrySize
	e := b.buf[b.last:b.next]
	binary.LittleEndian.PutUint16(e, uint16(c))
	e[2] = byte(t)
	if c.child() {
		e[3] = flagChild
		binary.LittleEndian.PutUint32(e[4:], uint32(n))
	} else if n != b.rows {
		panic(fmt.Sprintf("wire: column %d has %d rows in a frame of %d", c, n, b.rows))
	}
}

// Places in a directory entry.
const (
	entryChildRows = 4
	entryData      = 8
	entryDataLen   = 12
	entryOffsets   = 16
	entryValid     = 20
)

// set writes one u32 of the latest directory entry.
func (b *Builder) set(place, value int) {
	binary.LittleEndian.PutUint32(b.buf[b.last+place:], uint32(value))
}

// reserve appends size zero bytes at the next multiple of 8 and returns their place. A frame that would outgrow the
// limit is over: it grows no more, and Finish fails.
func (b *Builder) reserve(size int) (at int) {
	at = (len(b.buf) + 7) &^ 7
	if b.over || size > MaxFrame || at+size > MaxFrame {
		b.over = true
		return 0
	}
	b.buf = append(b.buf, make([]byte, at+size-len(b.buf))...)
	return at
}

// fixed adds a column of n values of fixed width and returns the room for its data; none when the frame is over its
// limit.
func (b *Builder) fixed(c Column, t columnType, n int) []byte {
	b.enter(c, t, n)
	size := n * t.width()
	at := b.reserve(size)
	if b.over {
		return nil
	}
	b.set(entryData, at)
	b.set(entryDataLen, size)
	return b.buf[at : at+size]
}

func (b *Builder) u8(c Column, n int, at func(int) uint8) {
	for i, data := 0, b.fixed(c, typeU8, n); i < len(data); i++ {
		data[i] = at(i)
	}
}

func (b *Builder) u16(c Column, n int, at func(int) uint16) {
	for i, data := 0, b.fixed(c, typeU16, n); i < len(data)/2; i++ {
		binary.LittleEndian.PutUint16(data[2*i:], at(i))
	}
}

func (b *Builder) u32(c Column, n int, at func(int) uint32) {
	for i, data := 0, b.fixed(c, typeU32, n); i < len(data)/4; i++ {
		binary.LittleEndian.PutUint32(data[4*i:], at(i))
	}
}

func (b *Builder) i64(c Column, n int, at func(int) int64) {
	for i, data := 0, b.fixed(c, typeI64, n); i < len(data)/8; i++ {
		binary.LittleEndian.PutUint64(data[8*i:], uint64(at(i)))
	}
}

func (b *Builder) f32(c Column, n int, at func(int) float64) {
	for i, data := 0, b.fixed(c, typeF32, n); i < len(data)/4; i++ {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(float32(at(i))))
	}
}

func (b *Builder) f64(c Column, n int, at func(int) float64) {
	for i, data := 0, b.fixed(c, typeF64, n); i < len(data)/8; i++ {
		binary.LittleEndian.PutUint64(data[8*i:], math.Float64bits(at(i)))
	}
}

// texts adds a column of byte strings.
func (b *Builder) texts(c Column, n int, at func(int) string) {
	b.enter(c, typeBytes, n)
	offsets := b.reserve(4 * (n + 1))
	data := b.reserve(0)
	for i := 0; i < n && !b.over; i++ {
		s := at(i)
		if b.over = len(b.buf)+len(s) > MaxFrame; b.over {
			return
		}
		b.buf = append(b.buf, s...)
		binary.LittleEndian.PutUint32(b.buf[offsets+4*(i+1):], uint32(len(b.buf)-data))
	}
	b.set(entryOffsets, offsets)
	b.set(entryData, data)
	b.set(entryDataLen, len(b.buf)-data)
}

// list adds a column of lists: row i has count(i) rows of the child columns, which follow. It returns the rows of the
// children.
func (b *Builder) list(c Column, n int, count func(int) int) (children int) {
	b.enter(c, typeList, n)
	offsets := b.reserve(4 * (n + 1))
	if b.over {
		return 0
	}
	b.set(entryOffsets, offsets)
	for i := range n {
		children += count(i)
		binary.LittleEndian.PutUint32(b.buf[offsets+4*(i+1):], uint32(children))
	}
	b.set(entryChildRows, children)
	return children
}

// valid marks which of the n values of the latest column exist.
func (b *Builder) valid(n int, at func(int) bool) {
	place := b.reserve((n + 7) / 8)
	if b.over {
		return
	}
	b.buf[b.last+3] |= flagNullable
	b.set(entryValid, place)
	for i := range n {
		if at(i) {
			b.buf[place+i/8] |= 1 << (i % 8)
		}
	}
}
