//go:build cuda

package cuda

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/carebot-llm/carebot/accelerators/cuda/cublaslt"
)

// products is what the device knows of the library of products, which is opened for the first of them.
type products struct {
	looked  bool
	library *cublaslt.Library // nil where there is none
	missing error             // why not
	choices *choices
	plans   map[form]*plan
	made    int // plans so far, which numbers them
}

// libraryWorkspace is how many bytes an algorithm may use besides its operands; 32 MiB is what the vendor advises for
// compute capability 9.0, which wants most.
const libraryWorkspace = 32 << 20

// find opens the library, once.
func (d *Device) find() *products {
	p := &d.products
	if p.looked {
		return p
	}
	defer d.enter()()
	p.looked = true
	places := cublaslt.Places()
	if p.library, p.missing = cublaslt.Open(places); p.library == nil && len(places) == 0 {
		p.missing = errors.New("CAREBOT_CUBLASLT is empty")
	}
	if p.library != nil {
		p.choices, p.plans = readChoices(d.name, p.library.Version()), map[form]*plan{}
	}
	return p
}

func (d *Device) endProducts() {
	if d.products.library != nil {
		d.note(d.products.library.Close(), "close cublasLt")
	}
}

// Products says by what the device computes products of matrices, and why not by cublasLt where that is so.
func (d *Device) Products() string {
	p := d.find()
	if p.library != nil {
		return fmt.Sprintf("products by cublasLt %s (%s)", p.library.Version(), p.library.File())
	}
	reasons := strings.Split(p.missing.Error(), "\n")
	return "products by our own kernels, which are slower than cublasLt (" + strings.Join(reasons, "; ") + ")"
}

// multiplyByLibrary reports whether the library computes the product.
func (d *Device) multiplyByLibrary(p product) bool {
	library := d.find().library
	if library == nil || d.err != nil {
		return false
	}
	q := d.described(p)
	plan := d.plan(&q)
	if plan.own {
		return false
	}
	workspace := d.scratch(slotLibrary, libraryWorkspace)
	d.enqueue("multiply by cublasLt", func() error {
		return library.Multiply(&q, &plan.algorithm, q.C.At, workspace, libraryWorkspace, d.handle())
	}, q.A.At, q.B.At, q.C.At, workspace, f32(q.Alpha), f32(q.Beta), uint64(plan.number))
	return true
}

// handle is the stream's, for libraries.
func (d *Device) handle() unsafe.Pointer { return unsafe.Pointer(d.stream.C()) }

// described is a product as the library takes it, its factors rounded where it does not take them as they are.
func (d *Device) described(p product) cublaslt.Product {
	if p.rounds {
		p.a, p.b = d.rounded(p.a, slotRoundedA), d.rounded(p.b, slotRoundedB)
	}
	return cublaslt.Product{A: p.a.described(), B: p.b.described(), C: p.c.described(), TransA: p.transA,
		TransB: p.transB, Alpha: p.alpha, Beta: p.beta}
}

func (o operand) described() cublaslt.Matrix {
	return cublaslt.Matrix{At: o.at, BF16: o.bf16, Rows: o.lines, Columns: o.length, Stride: o.stride}
}

// rounded is a factor in bf16: itself, or a copy.
func (d *Device) rounded(o operand, slot int) operand {
	if o.bf16 {
		return o
	}
	to := operand{bf16: true, lines: o.lines, length: o.length, stride: blocks(o.length, 8) * 8}
	to.at = d.scratch(slot, to.lines*to.stride*to.size())
	d.launch("product_around", "product_round", covering(o.lines*blocks(o.length, 8)), to.at, o.at, uint64(o.lines),
		uint64(o.length), uint64(to.stride), uint64(o.stride))
	return to
}
