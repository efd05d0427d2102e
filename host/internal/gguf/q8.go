package gguf

import (
	"encoding/binary"
	"math"

	"github.com/carebot-llm/carebot/host/internal/half"
)

// packQ8 stores 32 values as a scale (half) and 32 signed bytes: value = scale * byte.
func packQ8(dst []byte, src []float32) {
	most := float32(0)
	for _, v := range src {
		most = max(most, float32(math.Abs(float64(v))))
	}
	scale := most / 127
	inverse := float32(0)
	if scale != 0 {
		inverse = 1 / scale
	}
	binary.LittleEndian.PutUint16(dst, half.ToF16(scale))
	for i, v := range src {
		dst[2+i] = byte(int8(math.Round(float64(v * inverse))))
	}
}

func unpackQ8(dst []float32, src []byte) {
	scale := half.FromF16(binary.LittleEndian.Uint16(src))
	for i := range dst {
		dst[i] = scale * float32(int8(src[2+i]))
	}
}
