package tokenizer

import (
	"encoding/binary"
	"errors"
	"math"
)

var errWire = errors.New("it is not a protocol buffer, or cut off")

// A field is one field of a protocol buffer message.
type field struct {
	number int
	value  uint64 // of a number
	bytes  []byte // of a string or a message
}

func (f field) float() float32 { return math.Float32frombits(uint32(f.value)) }
func (f field) bool() bool     { return f.value != 0 }

// eachField calls do with the fields of a message in order.
func eachField(message []byte, do func(field) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29 {
			return errWire
		}
		f := field{number: int(tag >> 3)}
		var err error
		if message, err = f.read(message[n:], tag&7); err != nil {
			return err
		}
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

// read reads the content of the field, by its wire type, and returns what follows it.
func (f *field) read(message []byte, wire uint64) (rest []byte, err error) {
	size := 0
	switch wire {
	case 0, 2:
		n := 0
		f.value, n = binary.Uvarint(message)
		if n <= 0 {
			return nil, errWire
		}
		if message = message[n:]; wire == 0 {
			return message, nil
		}
		if f.value > uint64(len(message)) {
			return nil, errWire
		}
		f.bytes = message[:f.value]
		return message[f.value:], nil
	case 1:
		size = 8
	case 5:
		size = 4
	}
	if size == 0 || size > len(message) {
		return nil, errWire
	}
	for i := range size {
		f.value |= uint64(message[i]) << (8 * i)
	}
	return message[size:], nil
}
