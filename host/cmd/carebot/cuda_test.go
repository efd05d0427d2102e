//go:build cuda

package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestScriptsOfTheCUDADevice(t *testing.T) {
	emulator := os.Getenv("CAREBOT_LIBCUDA")
	if emulator == "" {
		t.Skip("CAREBOT_LIBCUDA names no emulator")
	}
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/cuda",
		Setup: func(e *testscript.Env) error {
			e.Setenv("CAREBOT_LIBCUDA", emulator)
			e.Setenv("CAREBOT_CUBLASLT", "")
			return nil
		},
	})
}
