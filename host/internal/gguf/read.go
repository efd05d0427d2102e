package gguf

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// A File is an open GGUF file. It is safe for concurrent use until it is closed.
type File struct {
	Metadata map[string]any // values of the kinds of Entry
	file     *os.File
	tensors  map[string]stored
}

// stored says where a tensor lies.
type stored struct {
	kind  Type
	shape []int // row-major
	at    int64
}

// Open reads the header of a file and checks that the tensors it names lie within the file and do not overlap.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	x := &File{file: f}
	info, err := f.Stat()
	if err == nil {
		err = x.readHeader(f, info.Size())
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, errors.Join(err, f.Close()))
	}
	return x, nil
}

// Close closes the file.
func (x *File) Close() error { return x.file.Close() }

// Names are those of the tensors, sorted.
func (x *File) Names() []string { return slices.Sorted(maps.Keys(x.tensors)) }

// Shape is a tensor's, in row-major order; ok is false when there is no such tensor.
func (x *File) Shape(name string) (shape []int, ok bool) {
	t, ok := x.tensors[name]
	return slices.Clone(t.shape), ok
}

// Type is how a tensor is stored.
func (x *File) Type(name string) Type { return x.tensors[name].kind }

// Read unpacks a tensor into dst, which has room for exactly its values.
func (x *File) Read(name string, dst []float32) error {
	t, ok := x.tensors[name]
	if n, _ := count(t.shape); !ok || n != int64(len(dst)) {
		return fmt.Errorf("read tensor %s of shape %v into %d values: it does not fit, or is not there", name, t.shape, len(dst))
	}
	f := formats[t.kind]
	in := bufio.NewReaderSize(io.NewSectionReader(x.file, t.at, int64(len(dst)/f.block*f.bytes)), 1<<20)
	packed := make([]byte, f.bytes)
	for i := 0; i < len(dst); i += f.block {
		if _, err := io.ReadFull(in, packed); err != nil {
			return fmt.Errorf("read tensor %s from %s: %w", name, x.file.Name(), err)
		}
		f.unpack(dst[i:i+f.block], packed)
	}
	return nil
}

func (x *File) readHeader(r io.Reader, size int64) error {
	d := &decoder{r: bufio.NewReader(r)}
	if m := string(d.bytes(len(magic))); d.err == nil && m != magic {
		return fmt.Errorf("it starts with %q, not with %s", m, magic)
	}
	if v := d.uint32(); d.err == nil && v != version {
		return fmt.Errorf("version %d is not %d", v, version)
	}
	tensors, entries := d.size("number of tensors", countLimit), d.size("number of metadata entries", countLimit)
	x.readMetadata(d, entries)
	x.readTensors(d, tensors)
	if errors.Is(d.err, io.EOF) || errors.Is(d.err, io.ErrUnexpectedEOF) {
		return errors.New("the header ends early")
	}
	if d.err != nil {
		return d.err
	}
	return x.place(d.read, size)
}

func (x *File) readMetadata(d *decoder, n int) {
	x.Metadata = map[string]any{}
	for range n {
		key := d.string()
		value := d.value()
		if d.err != nil {
			return
		}
		if _, twice := x.Metadata[key]; twice {
			d.fail("key %q is twice in the metadata", key)
		}
		x.Metadata[key] = value
	}
}

func (x *File) readTensors(d *decoder, n int) {
	x.tensors = map[string]stored{}
	for range n {
		name, dims := d.string(), d.uint32()
		if dims == 0 || dims > dimensionLimit {
			d.fail("tensor %q has %d dimensions, not 1 to %d", name, dims, dimensionLimit)
			return
		}
		shape := make([]int, dims)
		for i := range shape {
			shape[len(shape)-1-i] = d.size("a dimension", 1<<40)
		}
		kind, at := Type(d.uint32()), int64(d.size("an offset", 1<<56))
		if _, twice := x.tensors[name]; twice {
			d.fail("tensor %q is there twice", name)
		}
		x.tensors[name] = stored{kind, shape, at}
	}
}

// place turns offsets into positions in the file, and checks types, shapes, bounds and that nothing overlaps.
func (x *File) place(header, size int64) error {
	align := int64(alignment)
	if a, ok := x.Metadata["general.alignment"].(uint32); ok {
		if align = int64(a); a == 0 || a&(a-1) != 0 || a > 1<<20 {
			return fmt.Errorf("general.alignment %d is no power of two up to %d", a, 1<<20)
		}
	}
	start := aligned(header, align)
	names := slices.SortedFunc(maps.Keys(x.tensors), func(a, b string) int {
		return cmp.Or(cmp.Compare(x.tensors[a].at, x.tensors[b].at), cmp.Compare(a, b))
	})
	end := int64(0)
	for _, name := range names {
		t := x.tensors[name]
		bytes, err := t.bytes()
		switch {
		case err != nil:
			return fmt.Errorf("tensor %q: %w", name, err)
		case t.at < end || t.at%align != 0:
			return fmt.Errorf("tensor %q starts at byte %d: not aligned to %d, or within another", name, t.at, align)
		case t.at+bytes > size-start:
			return fmt.Errorf("tensor %q ends at byte %d of the data, and there are %d", name, t.at+bytes, size-start)
		}
		end, t.at = t.at+bytes, t.at+start
		x.tensors[name] = t
	}
	return nil
}

func (t stored) bytes() (int64, error) {
	f, ok := formats[t.kind]
	if !ok {
		return 0, fmt.Errorf("%s is not supported", t.kind)
	}
	n, ok := count(t.shape)
	if cols := t.shape[len(t.shape)-1]; !ok || cols%f.block != 0 {
		return 0, fmt.Errorf("shape %v is not possible for %s", t.shape, t.kind)
	}
	return n / int64(f.block) * int64(f.bytes), nil
}
