//go:build cuda

package driver

/*
#include <cuda.h>
*/
import "C"

import "unsafe"

// Pin allocates memory of the host that stays where it is, so that the device copies from and to it by itself.
func Pin(bytes int) ([]byte, error) {
	var at unsafe.Pointer
	if err := check(C.cuMemHostAlloc(&at, C.size_t(bytes), 0)); err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(at), bytes), nil
}

// Unpin gives it back.
func Unpin(memory []byte) error {
	if len(memory) == 0 {
		return nil
	}
	return check(C.cuMemFreeHost(unsafe.Pointer(unsafe.SliceData(memory))))
}
