package gguf

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// The kinds of metadata values, by the format's numbers.
const (
	kindUint8 uint32 = iota
	kindInt8
	kindUint16
	kindInt16
	kindUint32
	kindInt32
	kindFloat32
	kindBool
	kindString
	kindArray
	kindUint64
	kindInt64
	kindFloat64
)

// appendValue writes a value's kind and the value.
func appendValue(out []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case []bool:
		return appendArray(out, v)
	case []uint32:
		return appendArray(out, v)
	case []int32:
		return appendArray(out, v)
	case []uint64:
		return appendArray(out, v)
	case []int64:
		return appendArray(out, v)
	case []float32:
		return appendArray(out, v)
	case []string:
		return appendArray(out, v)
	}
	kind, ok := kindOf(value)
	if !ok {
		return nil, fmt.Errorf("a value of type %T cannot be stored", value)
	}
	return appendScalar(binary.LittleEndian.AppendUint32(out, kind), value), nil
}

func appendArray[T any](out []byte, values []T) ([]byte, error) {
	var element T
	kind, _ := kindOf(element)
	out = binary.LittleEndian.AppendUint32(out, kindArray)
	out = binary.LittleEndian.AppendUint32(out, kind)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(values)))
	for _, v := range values {
		out = appendScalar(out, v)
	}
	return out, nil
}

func kindOf(value any) (uint32, bool) {
	switch value.(type) {
	case bool:
		return kindBool, true
	case uint32:
		return kindUint32, true
	case int32:
		return kindInt32, true
	case uint64:
		return kindUint64, true
	case int64:
		return kindInt64, true
	case float32:
		return kindFloat32, true
	case float64:
		return kindFloat64, true
	case string:
		return kindString, true
	}
	return 0, false
}

func appendScalar(out []byte, value any) []byte {
	switch v := value.(type) {
	case bool:
		if v {
			return append(out, 1)
		}
		return append(out, 0)
	case string:
		return appendString(out, v)
	}
	out, err := binary.Append(out, binary.LittleEndian, value)
	if err != nil {
		panic(err) // kindOf knows the type
	}
	return out
}

func appendString(out []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(out, uint64(len(s))), s...)
}

// A decoder reads the header. The first error sticks; after it everything is zero.
type decoder struct {
	r    io.Reader
	read int64
	err  error
}

func (d *decoder) bytes(n int) []byte {
	if d.err == nil && d.read+int64(n) > headerLimit {
		d.err = fmt.Errorf("the header is larger than the limit of %d bytes", headerLimit)
	}
	b := make([]byte, n)
	if d.err == nil {
		_, d.err = io.ReadFull(d.r, b)
		d.read += int64(n)
	}
	return b
}

func (d *decoder) uint32() uint32 { return binary.LittleEndian.Uint32(d.bytes(4)) }
func (d *decoder) uint64() uint64 { return binary.LittleEndian.Uint64(d.bytes(8)) }

// size reads a number that must not exceed most.
func (d *decoder) size(what string, most uint64) int {
	n := d.uint64()
	if n > most {
		d.fail("%s: %d is more than the limit of %d", what, n, most)
		return 0
	}
	return int(n)
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

func (d *decoder) string() string { return string(d.bytes(d.size("length of a string", stringLimit))) }

func (d *decoder) bool() bool {
	b := d.bytes(1)[0]
	if b > 1 {
		d.fail("a bool is %d", b)
	}
	return b == 1
}

// value reads a value of any kind. Those of 8 and 16 bits are widened to 32.
func (d *decoder) value() any {
	kind := d.uint32()
	if kind != kindArray {
		return d.scalar(kind)
	}
	element, n := d.uint32(), d.size("length of an array", arrayLimit)
	switch element {
	case kindBool:
		return repeat(d, n, d.bool)
	case kindString:
		return repeat(d, n, d.string)
	case kindFloat32:
		return repeat(d, n, func() float32 { return math.Float32frombits(d.uint32()) })
	case kindUint64:
		return repeat(d, n, d.uint64)
	case kindInt64:
		return repeat(d, n, func() int64 { return int64(d.uint64()) })
	case kindUint8, kindUint16, kindUint32:
		return repeat(d, n, func() uint32 { v, _ := d.scalar(element).(uint32); return v })
	case kindInt8, kindInt16, kindInt32:
		return repeat(d, n, func() int32 { v, _ := d.scalar(element).(int32); return v })
	}
	d.fail("arrays of kind %d are not supported", element)
	return nil
}

// repeat reads n values; memory grows only as the file has them.
func repeat[T any](d *decoder, n int, read func() T) []T {
	values := make([]T, 0, min(n, 1<<10))
	for range n {
		if d.err != nil {
			return nil
		}
		values = append(values, read())
	}
	return values
}

func (d *decoder) scalar(kind uint32) any {
	switch kind {
	case kindUint8:
		return uint32(d.bytes(1)[0])
	case kindInt8:
		return int32(int8(d.bytes(1)[0]))
	case kindUint16:
		return uint32(binary.LittleEndian.Uint16(d.bytes(2)))
	case kindInt16:
		return int32(int16(binary.LittleEndian.Uint16(d.bytes(2))))
	case kindUint32:
		return d.uint32()
	case kindInt32:
		return int32(d.uint32())
	case kindUint64:
		return d.uint64()
	case kindInt64:
		return int64(d.uint64())
	case kindFloat32:
		return math.Float32frombits(d.uint32())
	case kindFloat64:
		return math.Float64frombits(d.uint64())
	case kindBool:
		return d.bool()
	case kindString:
		return d.string()
	}
	d.fail("kind %d of a value is not known", kind)
	return nil
}
