// Package gguf reads and writes GGUF files, the format of llama.cpp: version 3, little-endian, metadata and tensors in
// one file. It knows the format and the storage types, nothing of models.
// Source: the GGUF specification in ggml's docs.
package gguf

import "fmt"

const (
	magic     = "GGUF"
	version   = 3
	alignment = 32 // bytes; what the data start at a multiple of unless general.alignment says otherwise
)

// Limits on what a file may ask for.
const (
	countLimit     = 1 << 20   // tensors, and metadata entries
	stringLimit    = 16 << 20  // bytes of one string
	arrayLimit     = 16 << 20  // elements of one array
	headerLimit    = 256 << 20 // bytes of everything before the data
	dimensionLimit = 4         // dimensions of a tensor
)

// An Entry is a key of the metadata and its value: bool, uint32, int32, uint64, int64, float32, float64, string,
// or a slice of bool, uint32, int32, uint64, int64, float32 or string.
type Entry struct {
	Key   string
	Value any
}

// A Tensor is a named array to be written. Shape is in row-major order, the last dimension contiguous, as everywhere
// in this program; the file has it the other way round. A quantised type packs blocks along the last dimension.
type Tensor struct {
	Name  string
	Type  Type
	Shape []int
	Data  []float32
}

func (t Tensor) check() error {
	if len(t.Shape) == 0 || len(t.Shape) > dimensionLimit {
		return fmt.Errorf("tensor %s has %d dimensions, not 1 to %d", t.Name, len(t.Shape), dimensionLimit)
	}
	n, ok := count(t.Shape)
	if !ok || n != int64(len(t.Data)) {
		return fmt.Errorf("tensor %s of shape %v has %d values", t.Name, t.Shape, len(t.Data))
	}
	f, ok := formats[t.Type]
	if !ok {
		return fmt.Errorf("tensor %s: type %d is not known", t.Name, t.Type)
	}
	if cols := t.Shape[len(t.Shape)-1]; cols%f.block != 0 {
		return fmt.Errorf("tensor %s: rows of %d values are no whole blocks of %s (%d)", t.Name, cols, t.Type, f.block)
	}
	return nil
}

// count is the number of values of a shape; ok is false when a dimension is not positive or their bytes overflow.
func count(shape []int) (n int64, ok bool) {
	n = 1
	for _, d := range shape {
		if d <= 0 || int64(d) > (1<<56)/n {
			return 0, false
		}
		n *= int64(d)
	}
	return n, true
}

func aligned(n, to int64) int64 { return (n + to - 1) / to * to }
