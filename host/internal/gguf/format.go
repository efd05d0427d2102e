package gguf

import "fmt"

// A Type is how a tensor's values are stored, by ggml's number.
type Type uint32

// The types that are read and written. Q8_0 packs 32 values in 34 bytes, Q4_K 256 in 144.
const (
	F32  Type = 0
	F16  Type = 1
	Q8_0 Type = 8
	Q4_K Type = 12
	BF16 Type = 30
)

// A format is how blocks of a type are packed and unpacked.
type format struct {
	name  string
	block int // values
	bytes int
	pack  func(dst []byte, src []float32)
	// unpack is the inverse of pack up to rounding.
	unpack func(dst []float32, src []byte)
}

var formats = map[Type]format{
	F32:  {"F32", 1, 4, packF32, unpackF32},
	F16:  {"F16", 1, 2, packF16, unpackF16},
	BF16: {"BF16", 1, 2, packBF16, unpackBF16},
	Q8_0: {"Q8_0", 32, 34, packQ8, unpackQ8},
	Q4_K: {"Q4_K", 256, 144, packQ4, unpackQ4},
}

// String is ggml's name of the type.
func (t Type) String() string {
	if f, ok := formats[t]; ok {
		return f.name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// Block is how many neighbouring values of a row are packed together.
func (t Type) Block() int { return formats[t].block }

// Round returns the values as they come back from storage in a type.
func (t Type) Round(values []float32) []float32 {
	f := formats[t]
	packed, out := make([]byte, f.bytes), make([]float32, len(values))
	for i := 0; i < len(values); i += f.block {
		f.pack(packed, values[i:i+f.block])
		f.unpack(out[i:i+f.block], packed)
	}
	return out
}
