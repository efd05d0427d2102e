//go:build cuda

package nvrtc

// #include <stdlib.h>
import "C"

import "unsafe"

// cstrings are strings and lists of strings in C's memory.
type cstrings []unsafe.Pointer

func (c *cstrings) of(s string) *C.char {
	p := C.CString(s)
	*c = append(*c, unsafe.Pointer(p))
	return p
}

func (c *cstrings) list(all []string) **C.char {
	p := C.malloc(C.size_t(len(all)+1) * C.size_t(unsafe.Sizeof(uintptr(0))))
	*c = append(*c, p)
	for i, s := range all {
		unsafe.Slice((**C.char)(p), len(all))[i] = c.of(s)
	}
	return (**C.char)(p)
}

func (c *cstrings) release() {
	for _, p := range *c {
		C.free(p)
	}
}
