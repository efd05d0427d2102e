package checkpoint

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/carebot-llm/carebot/accelerators"
)

// Read reads a tensor of type F32, F16 or BF16 into dst, which has room for exactly its values.
func (x *Tensors) Read(name string, dst []float32) error {
	return x.visit(name, len(dst), func(dtype string, from int, raw []byte) {
		floats[dtype](dst[from:from+len(raw)/int(bytesOf[dtype])], raw)
	})
}

// ReadRaw reads the bytes of a tensor of one type into dst, which has room for exactly them.
func (x *Tensors) ReadRaw(name, dtype string, dst []byte) error {
	t, ok := x.tensors[name]
	n, _ := count(t.shape)
	switch {
	case !ok:
		return fmt.Errorf("read tensor %q: there is no such tensor", name)
	case t.dtype != dtype:
		return fmt.Errorf("read tensor %q: its type is %s, not %s", name, t.dtype, dtype)
	case n*bytesOf[dtype] != int64(len(dst)):
		return fmt.Errorf("read tensor %q of shape %v into %d bytes: it does not fit", name, t.shape, len(dst))
	}
	if _, err := t.file.ReadAt(dst, t.at); err != nil {
		return fmt.Errorf("read tensor %q from %s: %w", name, t.file.Name(), err)
	}
	return nil
}

// Upload is Read to a device's memory. What lies in the file as this machine holds numbers goes there without a copy in
// between, and is widened there.
func (x *Tensors) Upload(name string, dev accelerators.Memory, dst accelerators.Buffer) error {
	var host []float32
	return x.visit(name, dst.Len, func(dtype string, from int, raw []byte) {
		n := len(raw) / int(bytesOf[dtype])
		to := dst.Slice(from, n)
		switch {
		case !native(raw, int(bytesOf[dtype])):
			if cap(host) < n {
				host = make([]float32, n)
			}
			floats[dtype](host[:n], raw)
			dev.UploadF32(to, host[:n])
		case dtype == "F32":
			dev.UploadF32(to, unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(raw))), n))
		case dtype == "BF16":
			dev.UploadBF16(to, unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(raw))), n))
		default:
			dev.UploadF16(to, unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(raw))), n))
		}
	})
}

// native says whether values of so many bytes can be used where they lie: little-endian, at an address they divide.
func native(raw []byte, width int) bool {
	one := [2]byte{1, 0}
	return binary.NativeEndian.Uint16(one[:]) == 1 &&
		uintptr(unsafe.Pointer(unsafe.SliceData(raw)))%uintptr(width) == 0
}

// blockValues is how many values are read at once.
const blockValues = 4 << 20

// visit reads a tensor of n values block after block; raw is good until visit goes on.
func (x *Tensors) visit(name string, n int, block func(dtype string, from int, raw []byte)) error {
	t, ok := x.tensors[name]
	if !ok {
		return fmt.Errorf("read tensor %q: there is no such tensor", name)
	}
	if has, _ := count(t.shape); has != int64(n) {
		return fmt.Errorf("read tensor %q of shape %v into %d values: it does not fit", name, t.shape, n)
	}
	if floats[t.dtype] == nil {
		return fmt.Errorf("read tensor %q: type %s cannot be read as float32", name, t.dtype)
	}
	var buffer []byte
	width := int(bytesOf[t.dtype])
	for from := 0; from < n; from += blockValues {
		raw, err := t.file.bytes(&buffer, t.at+int64(from*width), min(blockValues, n-from)*width)
		if err != nil {
			return fmt.Errorf("read tensor %q from %s: %w", name, t.file.Name(), err)
		}
		block(t.dtype, from, raw)
	}
	return nil
}
