package checkpoint

import (
	"encoding/binary"
	"math"

	"github.com/carebot-llm/carebot/host/internal/half"
)

// floats decodes little-endian values.
var floats = map[string]func(dst []float32, src []byte){
	"F32": func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	},
	"F16": func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = half.FromF16(binary.LittleEndian.Uint16(src[2*i:]))
		}
	},
	"BF16": func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = half.FromBF16(binary.LittleEndian.Uint16(src[2*i:]))
		}
	},
}

// packs encodes values, little-endian, rounding to the nearest.
var packs = map[string]func(dst []byte, src []float32){
	"F32": func(dst []byte, src []float32) {
		for i, v := range src {
			binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(v))
		}
	},
	"F16": func(dst []byte, src []float32) {
		for i, v := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], half.ToF16(v))
		}
	},
	"BF16": func(dst []byte, src []float32) {
		for i, v := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], half.ToBF16(v))
		}
	},
}
