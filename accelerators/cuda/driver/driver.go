//go:build cuda

// Package driver is the CUDA driver: gorgonia.org/cu, unmodified, on trampolines that open libcuda when the program
// starts, so that the binary needs no CUDA to be built and runs on machines without it; and the calls that gorgonia
// lacks, on its handles.
package driver

/*
#cgo CFLAGS: -I${SRCDIR}/../include
#cgo LDFLAGS: -L${SRCDIR}/lib -ldl
#include <cuda.h>
#include "trampolines.h"
*/
import "C"

import (
	"errors"
	"fmt"

	"gorgonia.org/cu"
)

// Library is the file that the driver was opened from; empty where there is none.
func Library() string { return C.GoString(C.driver_library()) }

// Version is the newest CUDA that the driver supports, as 1000*major + 10*minor.
func Version() int { return cu.Version() }

// Missing are the functions that the driver lacks; calling one fails.
func Missing() []string {
	names := make([]string, C.driver_missing())
	for i := range names {
		names[i] = C.GoString(C.driver_missing_name(C.int(i)))
	}
	return names
}

// Devices is how many devices there are, or why there are none.
func Devices() (int, error) {
	if Library() == "" {
		return 0, errors.New("no NVIDIA driver: libcuda.so.1 is not there (in a container, start it with its GPUs)")
	}
	if code := C.driver_started(); code != C.CUDA_SUCCESS {
		return 0, fmt.Errorf("the NVIDIA driver %s does not start: %w", Library(), result(code))
	}
	n, err := cu.NumDevices()
	if err != nil {
		return 0, fmt.Errorf("count devices: %w", err)
	}
	if n == 0 {
		return 0, errors.New("the NVIDIA driver sees no device (CUDA_VISIBLE_DEVICES may hide them)")
	}
	return n, nil
}

func result(code C.int) error { return Error(code) }

// An Error is a code of the driver that is not success.
type Error int

func (e Error) Error() string {
	var name, text *C.char
	if C.cuGetErrorName(C.CUresult(e), &name) != 0 || C.cuGetErrorString(C.CUresult(e), &text) != 0 {
		return fmt.Sprintf("CUDA error %d", int(e))
	}
	return C.GoString(name) + ": " + C.GoString(text)
}
