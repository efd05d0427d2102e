//go:build cuda

// Package cublaslt is NVIDIA's library of matrix products, opened at run time where it is installed.
package cublaslt

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "cublaslt.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"
)

// A Matrix lies in device memory row by row, Stride elements from one row to the next.
type Matrix struct {
	At                    uint64
	BF16                  bool // else F32
	Rows, Columns, Stride int
}

// A Product is C = Alpha*op(A) op(B) + Beta*C with sums in f32. A and B have the same type.
type Product struct {
	A, B, C        Matrix
	TransA, TransB bool
	Alpha, Beta    float32
}

// An Algorithm is a way to compute a product, which means something to one version of the library only.
type Algorithm [8]uint64

// A Library is an opened cublasLt with a handle in the context of the thread that opened it.
type Library struct {
	functions C.lt_library
	file      string
}

// Open opens the first of the places that have the library. Its error says what was wrong with each.
func Open(places []string) (*Library, error) {
	var problems []error
	for _, file := range places {
		l := &Library{file: file}
		err := l.open()
		if err == nil {
			return l, nil
		}
		problems = append(problems, err)
	}
	return nil, errors.Join(problems...)
}

func (l *Library) open() error {
	name := C.CString(l.file)
	defer C.free(unsafe.Pointer(name))
	var status C.int
	switch failed := C.lt_open(&l.functions, name, &status); {
	case failed == nil:
		return nil
	case status != 0:
		return fmt.Errorf("%s: %s: %w", l.file, C.GoString(failed), Error{int(status)})
	case strings.HasPrefix(C.GoString(failed), l.file): // the loader's own words
		return errors.New(C.GoString(failed))
	default:
		return fmt.Errorf("%s: it lacks %s", l.file, C.GoString(failed))
	}
}

// Close gives the handle back.
func (l *Library) Close() error { return result(C.lt_close(&l.functions)) }

// File is what the library was opened from.
func (l *Library) File() string { return l.file }

// Version is the library's, as major.minor.patch.
func (l *Library) Version() string {
	v := int(C.lt_version(&l.functions))
	const newStyle = 100000 // 120901 is 12.9.1, 11400 was 11.4.0
	if v >= newStyle {
		return fmt.Sprintf("%d.%d.%d", v/10000, v/100%100, v%100)
	}
	return fmt.Sprintf("%d.%d.%d", v/1000, v/100%10, v%100)
}

// Suggest is a few algorithms that compute a product with so many bytes of workspace, the one first that the library
// holds for the quickest; none where it knows no way. All of them give the same bits every time.
func (l *Library) Suggest(p *Product, workspace int) ([]Algorithm, error) {
	var found [C.MOST_SUGGESTIONS]C.lt_algorithm
	var count C.int
	q := p.turned()
	err := result(C.lt_suggest(&l.functions, &q, C.size_t(workspace), &found[0], &count))
	if errors.Is(err, NotSupported) {
		return nil, nil
	}
	algorithms := make([]Algorithm, count)
	for i := range algorithms {
		algorithms[i] = *(*Algorithm)(unsafe.Pointer(&found[i]))
	}
	return algorithms, err
}

// Fits reports whether an algorithm that was suggested for one product computes another, with so much workspace.
func (l *Library) Fits(p *Product, a *Algorithm, workspace int) bool {
	var needed C.size_t
	q := p.turned()
	return C.lt_check(&l.functions, &q, a.pointer(), &needed) == 0 && int(needed) <= workspace
}

// Multiply enqueues a product on a stream of the driver's. What would be C goes to out, which may be C itself.
func (l *Library) Multiply(p *Product, a *Algorithm, out, workspace uint64, bytes int, stream unsafe.Pointer) error {
	q := p.turned()
	q.d = C.uint64_t(out)
	return result(C.lt_multiply(&l.functions, &q, a.pointer(), C.uint64_t(workspace), C.size_t(bytes), stream))
}

func (a *Algorithm) pointer() *C.lt_algorithm { return (*C.lt_algorithm)(unsafe.Pointer(a)) }

// turned is the product as the library wants it, which holds matrices by columns: a matrix by rows is its transpose by
// columns, and the transpose of C is op(B)^T op(A)^T.
func (p *Product) turned() C.lt_product {
	return C.lt_product{a: p.B.turned(), b: p.A.turned(), c: p.C.turned(), operation_a: operation(p.TransB),
		operation_b: operation(p.TransA), alpha: C.float(p.Alpha), beta: C.float(p.Beta)}
}

func (m Matrix) turned() C.lt_matrix {
	t := C.int(C.TYPE_F32)
	if m.BF16 {
		t = C.TYPE_BF16
	}
	return C.lt_matrix{at: C.uint64_t(m.At), _type: t, rows: C.uint64_t(m.Columns), columns: C.uint64_t(m.Rows),
		stride: C.int64_t(m.Stride), alignment: C.uint32_t(m.Alignment())}
}

// Alignment is the boundary, of up to 16 bytes, on which all rows begin.
func (m Matrix) Alignment() int {
	const most = 16
	size := 4
	if m.BF16 {
		size = 2
	}
	bits := m.At | uint64(m.Stride*size) | most
	return int(bits & -bits)
}

func operation(trans bool) C.int {
	if trans {
		return C.OPERATION_T
	}
	return C.OPERATION_N
}
