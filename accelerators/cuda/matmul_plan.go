//go:build cuda

package cuda

import (
	"fmt"
	"math/bits"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators/cuda/cublaslt"
)

// A form is all of a product that the library's ways depend on.
type form struct {
	M, N, K                            int
	TransA, TransB                     bool
	BF16, BF16C                        bool // the factors, and C
	AlignmentA, AlignmentB, AlignmentC int
	Adds                               bool // to what C holds
	StrideA, StrideB, StrideC          int  `json:"-"`
}

func formOf(q *cublaslt.Product) form {
	k := q.A.Columns
	if q.TransA {
		k = q.A.Rows
	}
	return form{M: q.C.Rows, N: q.C.Columns, K: k, TransA: q.TransA, TransB: q.TransB, BF16: q.A.BF16, BF16C: q.C.BF16,
		AlignmentA: q.A.Alignment(), AlignmentB: q.B.Alignment(), AlignmentC: q.C.Alignment(), Adds: q.Beta != 0,
		StrideA: q.A.Stride, StrideB: q.B.Stride, StrideC: q.C.Stride}
}

// class is what forms have in common that share a choice: their sizes to an eighth, and all but the strides. Batches
// come in ever new lengths, and to time algorithms for each would take longer than it saves.
func (f form) class() form {
	f.M, f.N, f.K = eighth(f.M), eighth(f.N), eighth(f.K)
	f.StrideA, f.StrideB, f.StrideC = 0, 0, 0
	return f
}

// eighth is the next number from n on that has at most three bits after its first.
func eighth(n int) int {
	step := 1 << max(0, bits.Len(uint(n))-4)
	return blocks(n, step) * step
}

// A plan is how products of one form are computed: by an algorithm of the library, or by our own kernels.
type plan struct {
	number    int
	algorithm cublaslt.Algorithm
	own       bool
}

// mostPlans is how many plans are kept; beyond it they are made anew, the same ones.
const mostPlans = 1 << 14

// plan is made once for each form. It is the choice of the form's class, if that computes it, else what the library
// suggests first for the form itself: so it never depends on what other products came before in this run.
func (d *Device) plan(q *cublaslt.Product) *plan {
	p := &d.products
	f := formOf(q)
	if known := p.plans[f]; known != nil {
		return known
	}
	defer d.enter()()
	if len(p.plans) >= mostPlans {
		clear(p.plans)
	}
	p.made++
	made := &plan{number: p.made}
	made.algorithm, made.own = d.algorithm(q, f)
	p.plans[f] = made
	return made
}

func (d *Device) algorithm(q *cublaslt.Product, f form) (a cublaslt.Algorithm, own bool) {
	p := &d.products
	chosen, known := p.choices.of(f.class())
	if known && p.library.Fits(q, &chosen, libraryWorkspace) {
		return chosen, false
	}
	suggested, err := p.library.Suggest(q, libraryWorkspace)
	if len(suggested) == 0 || err != nil {
		return a, true
	}
	if known || p.choices.full() {
		return suggested[0], false
	}
	computes := false
	d.alone(func() { a, computes = d.quickest(q, suggested) })
	if !computes {
		return a, true
	}
	if a = p.choices.add(f.class(), a); !p.library.Fits(q, &a, libraryWorkspace) { // another process has chosen
		a = suggested[0]
	}
	return a, false
}

// quickest times algorithms and returns the one that took least, unless none computes the product. Where C is added to,
// the results go elsewhere; without room for that nothing is timed, and the library's first suggestion is taken.
func (d *Device) quickest(q *cublaslt.Product, suggested []cublaslt.Algorithm) (a cublaslt.Algorithm, computes bool) {
	out := q.C.At
	if q.Beta != 0 {
		elsewhere, err := cu.MemAlloc(int64(q.C.Rows * q.C.Stride * 4))
		if err != nil {
			return suggested[0], true
		}
		defer func() {
			d.note(d.stream.Synchronize(), "time products")
			d.note(cu.MemFree(elsewhere), "free what products were timed in")
		}()
		out = uint64(elsewhere)
	}
	least := 0.0
	for i := range suggested {
		if took, err := d.time(q, &suggested[i], out); err == nil && (!computes || took < least) {
			a, least, computes = suggested[i], took, true
		}
	}
	return a, computes
}

// time is how long a product takes, after a first one that finds the caches as the others do.
func (d *Device) time(q *cublaslt.Product, a *cublaslt.Algorithm, out uint64) (milliseconds float64, err error) {
	const rounds = 4
	var events [2]cu.Event
	for i := range events {
		if events[i], err = cu.MakeEvent(cu.DefaultEvent); err != nil {
			return 0, fmt.Errorf("make an event: %w", err)
		}
		defer func() { d.note(cu.DestroyEvent(&events[i]), "destroy an event") }()
	}
	workspace := d.scratch(slotLibrary, libraryWorkspace)
	if d.err != nil {
		return 0, d.err
	}
	for round := range 1 + rounds {
		if round == 1 {
			err = events[0].Record(d.stream)
		}
		if err == nil {
			err = d.products.library.Multiply(q, a, out, workspace, libraryWorkspace, d.handle())
		}
		if err != nil {
			return 0, err
		}
	}
	if err = events[1].Record(d.stream); err == nil {
		err = events[1].Synchronize()
	}
	if err != nil {
		return 0, err
	}
	return events[0].Elapsed(events[1])
}
