//go:build cuda

package driver

/*
#include <cuda.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"reflect"
)

// An Error is what the driver answers instead of success.
type Error int

// The errors that something is done about.
const (
	OutOfMemory Error = C.CUDA_ERROR_OUT_OF_MEMORY
	NoDevice    Error = C.CUDA_ERROR_NO_DEVICE
)

// Of is an error of gorgonia.org/cu as an Error, whose text says more than its name; others stay what they are, as do
// those that hold an Error already.
func Of(err error) error {
	var own Error
	if errors.As(err, &own) {
		return err
	}
	root := err
	for cause := errors.Unwrap(root); cause != nil; cause = errors.Unwrap(root) {
		root = cause
	}
	if v := reflect.ValueOf(root); root != nil && v.Kind() == reflect.Int {
		return Error(v.Int())
	}
	return err
}

// Error is the driver's name and text for the code, or our own where there is no driver to ask, and what to do about it
// where that is known.
func (e Error) Error() string {
	text := e.text()
	if r := remedies[e]; r != "" {
		text += "; " + r
	}
	return text
}

func (e Error) text() string {
	var name, text *C.char
	if C.cuGetErrorName(C.CUresult(e), &name) == 0 && C.cuGetErrorString(C.CUresult(e), &text) == 0 {
		return C.GoString(name) + ": " + C.GoString(text)
	}
	if own := texts[e]; own != "" {
		return fmt.Sprintf("CUDA error %d: %s", int(e), own)
	}
	return fmt.Sprintf("CUDA error %d", int(e))
}

// Lost reports whether an error of the driver leaves a context that cannot go on.
func Lost(err error) bool {
	var e Error
	return errors.As(err, &e) && lost[e]
}

var lost = map[Error]bool{
	C.CUDA_ERROR_ECC_UNCORRECTABLE:     true,
	C.CUDA_ERROR_NVLINK_UNCORRECTABLE:  true,
	C.CUDA_ERROR_ILLEGAL_ADDRESS:       true,
	C.CUDA_ERROR_LAUNCH_TIMEOUT:        true,
	C.CUDA_ERROR_CONTEXT_IS_DESTROYED:  true,
	C.CUDA_ERROR_ASSERT:                true,
	C.CUDA_ERROR_HARDWARE_STACK_ERROR:  true,
	C.CUDA_ERROR_ILLEGAL_INSTRUCTION:   true,
	C.CUDA_ERROR_MISALIGNED_ADDRESS:    true,
	C.CUDA_ERROR_INVALID_ADDRESS_SPACE: true,
	C.CUDA_ERROR_INVALID_PC:            true,
	C.CUDA_ERROR_LAUNCH_FAILED:         true,
	C.CUDA_ERROR_CONTAINED:             true,
	C.CUDA_ERROR_MPS_CLIENT_TERMINATED: true,
	C.CUDA_ERROR_UNKNOWN:               true, // as of a GPU that is no longer on the bus
}

// texts are for where the driver's own are not to be had.
var texts = map[Error]string{
	C.CUDA_ERROR_INVALID_VALUE:           "an argument is out of range",
	C.CUDA_ERROR_OUT_OF_MEMORY:           "out of memory",
	C.CUDA_ERROR_NOT_INITIALIZED:         "the driver has not started",
	C.CUDA_ERROR_STUB_LIBRARY:            "libcuda is a stub to link with, no driver",
	C.CUDA_ERROR_DEVICE_UNAVAILABLE:      "the device is busy or cannot be used now",
	C.CUDA_ERROR_NO_DEVICE:               "no device",
	C.CUDA_ERROR_INVALID_DEVICE:          "no such device",
	C.CUDA_ERROR_INVALID_IMAGE:           "the kernels' image is damaged",
	C.CUDA_ERROR_INVALID_CONTEXT:         "no context is current, or not the right one",
	C.CUDA_ERROR_NO_BINARY_FOR_GPU:       "the kernels' image is for another architecture",
	C.CUDA_ERROR_ECC_UNCORRECTABLE:       "memory has an error that ECC could not correct",
	C.CUDA_ERROR_NVLINK_UNCORRECTABLE:    "NVLink has an error that could not be corrected",
	C.CUDA_ERROR_INVALID_PTX:             "the driver cannot compile the kernels",
	C.CUDA_ERROR_UNSUPPORTED_PTX_VERSION: "the driver is too old to compile the kernels",
	C.CUDA_ERROR_OPERATING_SYSTEM:        "a call of the operating system failed",
	C.CUDA_ERROR_INVALID_HANDLE:          "a handle is not valid",
	C.CUDA_ERROR_NOT_FOUND:               "nothing of that name",
	C.CUDA_ERROR_ILLEGAL_ADDRESS:         "a kernel used memory that is not there",
	C.CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES: "a kernel needs more registers or shared memory than there are",
	C.CUDA_ERROR_LAUNCH_TIMEOUT:          "a kernel took too long",
	C.CUDA_ERROR_MISALIGNED_ADDRESS:      "a kernel used an address that is not aligned",
	C.CUDA_ERROR_ILLEGAL_INSTRUCTION:     "a kernel met an instruction that the device lacks",
	C.CUDA_ERROR_LAUNCH_FAILED:           "a kernel failed",
	C.CUDA_ERROR_NOT_PERMITTED:           "not permitted",
	C.CUDA_ERROR_NOT_SUPPORTED:           "the driver or the device cannot do that",
	C.CUDA_ERROR_SYSTEM_NOT_READY:        "the system is not ready for CUDA",
	C.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:  "libcuda and the kernel module are of different versions",
	C.CUDA_ERROR_UNKNOWN:                 "unknown error",
}

var remedies = map[Error]string{
	C.CUDA_ERROR_STUB_LIBRARY:            "take the folder of stubs from LD_LIBRARY_PATH",
	C.CUDA_ERROR_DEVICE_UNAVAILABLE:      "another process may hold the device for itself: nvidia-smi shows which",
	C.CUDA_ERROR_NO_BINARY_FOR_GPU:       noImage,
	C.CUDA_ERROR_INVALID_PTX:             noImage,
	C.CUDA_ERROR_UNSUPPORTED_PTX_VERSION: "install a newer NVIDIA driver",
	C.CUDA_ERROR_JIT_COMPILER_NOT_FOUND:  "install the driver's libnvidia-ptxjitcompiler.so.1",
	C.CUDA_ERROR_NOT_PERMITTED:           "the files /dev/nvidia* must be open to this user",
	C.CUDA_ERROR_SYSTEM_NOT_READY:        "start the service nvidia-fabricmanager",
	C.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:  "restart the machine after the driver was updated",
	C.CUDA_ERROR_UNKNOWN:                 "nvidia-smi may say more; loading the module nvidia_uvm anew helps at times",
}

const noImage = "this binary has no kernels for the device: build it anew after make kernels, or install a newer driver"
