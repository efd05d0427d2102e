//go:build cuda

// Package nvrtc compiles CUDA C++ with NVIDIA's run-time compiler, a library that is opened where it is asked for. It
// needs no GPU. Only the tool that makes the images of package images uses it; a program that trains does not.
package nvrtc

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "nvrtc.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unsafe"
)

// A Compiler is an open library. It is never closed: the library does not unload cleanly.
type Compiler struct{ functions C.nvrtc_functions }

// Open opens the compiler that lies in a folder, and before it the builtins beside it, which the compiler would look
// for by name in the system's folders only.
func Open(folder string) (*Compiler, error) {
	c := &Compiler{}
	for _, pattern := range []string{"libnvrtc-builtins.so.*", "libnvrtc.so.*"} {
		files, _ := filepath.Glob(filepath.Join(folder, pattern))
		if len(files) != 1 {
			return nil, fmt.Errorf("%s holds %d files %s, needed is one", folder, len(files), pattern)
		}
		file := C.CString(files[0])
		defer C.free(unsafe.Pointer(file))
		if problem := C.nvrtc_open(&c.functions, file); problem != nil {
			return nil, errors.New(C.GoString(problem))
		}
	}
	if missing := C.nvrtc_bind(&c.functions); missing != nil {
		return nil, fmt.Errorf("the compiler in %s lacks %s", folder, C.GoString(missing))
	}
	return c, nil
}

// Version is that of CUDA, 12.9 for example.
func (c *Compiler) Version() (string, error) {
	var major, minor C.int
	if err := c.check("ask for the version", C.nvrtc_version(&c.functions, &major, &minor)); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d.%d", major, minor), nil
}

// Compile makes PTX where the options name a virtual architecture (compute_80), a cubin where they name a real one. The
// log is what the compiler says besides, with --ptxas-options=-v the resources of every kernel; it is there with an
// error too.
func (c *Compiler) Compile(name, source string, options ...string) (image []byte, log string, err error) {
	var free cstrings
	defer free.release()
	var program C.nvrtc_program
	created := C.nvrtc_create(&c.functions, &program, free.of(source), free.of(name))
	if err := c.check("take "+name, created); err != nil {
		return nil, "", err
	}
	defer C.nvrtc_destroy(&c.functions, &program)
	compiled := C.nvrtc_compile(&c.functions, program, C.int(len(options)), free.list(options))
	log, err = c.text(program)
	if err := errors.Join(c.check("compile "+name, compiled), err); err != nil {
		return nil, log, err
	}
	image, err = c.image(program, strings.Contains(strings.Join(options, " "), "compute_"))
	return image, log, err
}

func (c *Compiler) text(program C.nvrtc_program) (string, error) {
	log, err := c.read(program, C.NVRTC_LOG)
	return strings.TrimRight(string(log), "\x00\n"), err
}

// image is what was made; the text of PTX ends in a byte of zero, as the driver wants it.
func (c *Compiler) image(program C.nvrtc_program, virtual bool) ([]byte, error) {
	if virtual {
		return c.read(program, C.NVRTC_PTX)
	}
	return c.read(program, C.NVRTC_CUBIN)
}

func (c *Compiler) read(program C.nvrtc_program, what C.nvrtc_output) ([]byte, error) {
	var size C.size_t
	if err := c.check("size what was made", C.nvrtc_size(&c.functions, program, what, &size)); err != nil || size == 0 {
		return nil, err
	}
	out := make([]byte, size)
	code := C.nvrtc_read(&c.functions, program, what, (*C.char)(unsafe.Pointer(&out[0])))
	return out, c.check("read what was made", code)
}

func (c *Compiler) check(attempt string, code C.int) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s", attempt, C.GoString(C.nvrtc_error(&c.functions, code)))
}
