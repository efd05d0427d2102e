//go:build cuda

package cublaslt

/*
#include "cublaslt.h"
*/
import "C"

import "fmt"

// An Error is a status of the library's that is not success.
type Error struct{ status int }

// NotSupported is the error of what the library has no way to compute.
var NotSupported = Error{C.STATUS_NOT_SUPPORTED}

var texts = map[int]string{
	1: "not initialized (the driver may be too old for the library)", 3: "out of memory", 7: "invalid value",
	8: "the GPU is too old", 11: "mapping error", 13: "execution failed", 14: "internal error", 15: "not supported",
}

func (e Error) Error() string {
	if text, known := texts[e.status]; known {
		return "cublasLt: " + text
	}
	return fmt.Sprintf("cublasLt: status %d", e.status)
}

func result(status C.int) error {
	if status == 0 {
		return nil
	}
	return Error{int(status)}
}
