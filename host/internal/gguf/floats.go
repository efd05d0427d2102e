package gguf

import (
	"encoding/binary"
	"math"

	"github.com/carebot-llm/carebot/host/internal/half"
)

func packF32(dst []byte, src []float32) { binary.LittleEndian.PutUint32(dst, math.Float32bits(src[0])) }

func unpackF32(dst []float32, src []byte) {
	dst[0] = math.Float32frombits(binary.LittleEndian.Uint32(src))
}

func packF16(dst []byte, src []float32) { binary.LittleEndian.PutUint16(dst, half.ToF16(src[0])) }

func unpackF16(dst []float32, src []byte) { dst[0] = half.FromF16(binary.LittleEndian.Uint16(src)) }

func packBF16(dst []byte, src []float32) { binary.LittleEndian.PutUint16(dst, half.ToBF16(src[0])) }

func unpackBF16(dst []float32, src []byte) {
	dst[0] = half.FromBF16(binary.LittleEndian.Uint16(src))
}
