package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// metadataKey is the key of a header that names no tensor.
const metadataKey = "__metadata__"

// entry describes one tensor in a header. Offsets count from the end of the header.
type entry struct {
	DType   string  `json:"dtype"`
	Shape   []int   `json:"shape"`
	Offsets []int64 `json:"data_offsets"`
}

// encodeHeader writes the header of a file, the metadata first, then the tensors in their order, filled up with spaces
// so that the data start at a multiple of 8.
func encodeHeader(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	out := []byte{'{'}
	add := func(key string, value any) error {
		k, err := json.Marshal(key)
		if err != nil {
			return err
		}
		v, err := json.Marshal(value)
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, k...), ':'), v...)
		return err
	}
	if err := add(metadataKey, metadata); err != nil {
		return nil, err
	}
	at := int64(0)
	for _, t := range tensors {
		e := entry{t.dtype(), append([]int{}, t.Shape...), []int64{at, at + t.bytes()}}
		if err := add(t.Name, e); err != nil {
			return nil, err
		}
		at += t.bytes()
	}
	out = append(out, '}')
	for len(out)%8 != 0 {
		out = append(out, ' ')
	}
	if len(out) > headerLimit {
		return nil, fmt.Errorf("the header has %d bytes, more than the limit of %d", len(out), headerLimit)
	}
	return out, nil
}

// readHeader reads the header of a file of size bytes: the tensors by name, and where the data start. Each tensor's
// bytes are as many as its type and shape take, and together they are all the data without gap or overlap.
func readHeader(r io.ReaderAt, size int64) (tensors map[string]entry, start int64, err error) {
	var length [8]byte
	if size < int64(len(length)) {
		return nil, 0, fmt.Errorf("the file has %d bytes, too few for a header", size)
	}
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return nil, 0, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > headerLimit || int64(n) > size-int64(len(length)) {
		return nil, 0, fmt.Errorf("a header of %d bytes exceeds the file's %d or the limit of %d", n, size, headerLimit)
	}
	raw := make([]byte, n)
	if _, err := r.ReadAt(raw, int64(len(length))); err != nil {
		return nil, 0, err
	}
	if tensors, err = decodeHeader(raw); err != nil {
		return nil, 0, fmt.Errorf("header: %w", err)
	}
	start = int64(len(length)) + int64(n)
	return tensors, start, tile(tensors, size-start)
}

// decodeHeader reads the header's object. The metadata must map strings to strings and are not kept.
func decodeHeader(raw []byte) (map[string]entry, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return nil, errors.New("it does not start with {")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	if meta, ok := members[metadataKey]; ok {
		var m map[string]string
		if err := json.Unmarshal(meta, &m); err != nil {
			return nil, fmt.Errorf("%s: %w", metadataKey, err)
		}
		delete(members, metadataKey)
	}
	tensors := make(map[string]entry, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		var e entry
		d := json.NewDecoder(bytes.NewReader(members[name]))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		tensors[name] = e
	}
	return tensors, nil
}

// bytesOf lists the types of the format whose values take whole bytes. Only F32, F16 and BF16 are ever read.
var bytesOf = map[string]int64{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1,
	"U16": 2, "I16": 2, "F16": 2, "BF16": 2,
	"U32": 4, "I32": 4, "F32": 4,
	"U64": 8, "I64": 8, "F64": 8, "C64": 8,
}

func (e entry) check() error {
	width, ok := bytesOf[e.DType]
	if !ok {
		return fmt.Errorf("type %q is not known", e.DType)
	}
	n, ok := count(e.Shape)
	if !ok {
		return fmt.Errorf("shape %v is not possible", e.Shape)
	}
	if len(e.Offsets) != 2 {
		return fmt.Errorf("data_offsets %v are not two", e.Offsets)
	}
	if from, to := e.Offsets[0], e.Offsets[1]; from < 0 || to < from || to-from != n*width {
		return fmt.Errorf("bytes %d to %d do not hold %v values of type %s", from, to, e.Shape, e.DType)
	}
	return nil
}

// tile checks that the tensors lie one after the other and fill size bytes.
func tile(tensors map[string]entry, size int64) error {
	names := slices.SortedFunc(maps.Keys(tensors), func(a, b string) int {
		return cmp.Or(cmp.Compare(tensors[a].Offsets[0], tensors[b].Offsets[0]),
			cmp.Compare(tensors[a].Offsets[1], tensors[b].Offsets[1]), cmp.Compare(a, b))
	})
	end := int64(0)
	for _, name := range names {
		if at := tensors[name].Offsets[0]; at != end {
			return fmt.Errorf("tensor %q starts at byte %d of the data, where byte %d comes next", name, at, end)
		}
		end = tensors[name].Offsets[1]
	}
	if end != size {
		return fmt.Errorf("the tensors take %d bytes and the file has %d for them", end, size)
	}
	return nil
}

// count returns how many values a shape has; ok is false when a dimension is negative or the bytes of so many values
// overflow.
func count(shape []int) (n int64, ok bool) {
	n = 1
	for _, d := range shape {
		if d < 0 || d > 0 && n > math.MaxInt64/16/int64(d) {
			return 0, false
		}
		n *= int64(d)
	}
	return n, true
}
