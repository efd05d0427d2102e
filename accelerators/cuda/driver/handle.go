//go:build cuda

package driver

/*
#include <cuda.h>
*/
import "C"

import (
	"unsafe"

	"gorgonia.org/cu"
)

// AllowShared lets a function use so many bytes of dynamic shared memory.
func AllowShared(f cu.Function, bytes int) error {
	return check(C.cuFuncSetAttribute(function(f), C.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, C.int(bytes)))
}

// function is gorgonia's handle, a struct of one pointer, as the driver's.
func function(f cu.Function) C.CUfunction { return *(*C.CUfunction)(unsafe.Pointer(&f)) }

func stream(s cu.Stream) C.CUstream { return C.CUstream(unsafe.Pointer(s.C())) }

func check(code C.CUresult) error {
	if code == C.CUDA_SUCCESS {
		return nil
	}
	return Error(code)
}
