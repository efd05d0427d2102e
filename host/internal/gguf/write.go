package gguf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// Write writes a file: the metadata and the tensors in their order. It replaces what stands at path, or leaves it as
// it was when there is an error.
func Write(path string, metadata []Entry, tensors []Tensor) error {
	header, err := encodeHeader(metadata, tensors)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return durable.Write(path, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<20)
		if _, err := out.Write(header); err != nil {
			return err
		}
		for _, t := range tensors {
			if err := t.write(out); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}

// encodeHeader is everything before the data, filled up to their alignment.
func encodeHeader(metadata []Entry, tensors []Tensor) ([]byte, error) {
	out := binary.LittleEndian.AppendUint32([]byte(magic), version)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(tensors)))
	out = binary.LittleEndian.AppendUint64(out, uint64(len(metadata)))
	seen := map[string]bool{}
	for _, e := range metadata {
		if seen[e.Key] {
			return nil, fmt.Errorf("key %s is twice in the metadata", e.Key)
		}
		seen[e.Key] = true
		var err error
		if out, err = appendValue(appendString(out, e.Key), e.Value); err != nil {
			return nil, fmt.Errorf("key %s: %w", e.Key, err)
		}
	}
	out, err := appendTensors(out, tensors)
	return append(out, make([]byte, aligned(int64(len(out)), alignment)-int64(len(out)))...), err
}

// appendTensors describes the tensors; offsets count from the start of the data.
func appendTensors(out []byte, tensors []Tensor) ([]byte, error) {
	seen, at := map[string]bool{}, int64(0)
	for _, t := range tensors {
		if err := t.check(); err != nil {
			return nil, err
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("tensor %s is there twice", t.Name)
		}
		seen[t.Name] = true
		out = binary.LittleEndian.AppendUint32(appendString(out, t.Name), uint32(len(t.Shape)))
		for i := len(t.Shape) - 1; i >= 0; i-- {
			out = binary.LittleEndian.AppendUint64(out, uint64(t.Shape[i]))
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(t.Type))
		out = binary.LittleEndian.AppendUint64(out, uint64(at))
		at += aligned(t.bytes(), alignment)
	}
	return out, nil
}

func (t Tensor) bytes() int64 {
	f := formats[t.Type]
	return int64(len(t.Data)/f.block) * int64(f.bytes)
}

// write packs the values block by block and fills up to the alignment.
func (t Tensor) write(w io.Writer) error {
	f := formats[t.Type]
	packed := make([]byte, f.bytes)
	for i := 0; i < len(t.Data); i += f.block {
		values := t.Data[i : i+f.block]
		if j, ok := finite(values); !ok && f.block > 1 {
			return fmt.Errorf("tensor %s: value %d is %v, which %s cannot store", t.Name, i+j, values[j], t.Type)
		}
		f.pack(packed, values)
		if _, err := w.Write(packed); err != nil {
			return err
		}
	}
	_, err := w.Write(make([]byte, aligned(t.bytes(), alignment)-t.bytes()))
	return err
}

// finite finds the first value that is infinite or not a number.
func finite(values []float32) (at int, ok bool) {
	for i, v := range values {
		if v-v != 0 || math.IsNaN(float64(v)) {
			return i, false
		}
	}
	return 0, true
}
