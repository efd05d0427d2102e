package main

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

// A product is C[M,N] = A[M,K] B[K,N] in a form: which operands are transposed. nn is the gradient of an activation, nt
// a linear layer, tn the gradient of a weight.
type product struct {
	m, n, k int
	form    string
}

func (p product) String() string { return fmt.Sprintf("%dx%dx%d", p.m, p.n, p.k) }

func (p product) flops() float64 { return 2 * float64(p.m) * float64(p.n) * float64(p.k) }

func (p product) request(op, dtype string, threads int) request {
	return request{Op: op, M: p.m, N: p.n, K: p.k, Form: p.form, DType: dtype, Threads: threads}
}

// products are the transformer shapes.
func products() []product {
	list := []product{
		{512, 512, 64, "nt"}, {512, 64, 512, "nn"}, // one head of attention
		{3072, 768, 2048, "tn"}, {32000, 768, 512, "tn"},
	}
	for _, s := range []product{
		{m: 512, n: 512, k: 512}, {m: 1024, n: 1024, k: 1024}, {m: 2048, n: 2048, k: 2048}, {m: 4096, n: 4096, k: 4096},
		{m: 2048, n: 768, k: 768}, {m: 2048, n: 3072, k: 768}, {m: 2048, n: 768, k: 3072}, {m: 2048, n: 32000, k: 768},
	} {
		for _, s.form = range []string{"nn", "nt", "tn"} {
			list = append(list, s)
		}
	}
	return list
}

// side is our device at the product.
func (p product) side(dev accelerators.Device, compute accelerators.DType) (us side, free func(), err error) {
	x, free, err := buffers(dev, p.m*p.n, p.m*p.k, p.k*p.n)
	s := accelerators.MatMul{M: p.m, N: p.n, K: p.k, Alpha: 1, Compute: compute,
		TransA: p.form[0] == 't', TransB: p.form[1] == 't'}
	return ours("ours "+compute.String(), func() error {
		dev.MatMul(x[0], x[1], x[2], s)
		return dev.Sync()
	}), free, err
}

// buffers allocates operands filled with an ordinary number, and the function that frees them.
func buffers(dev accelerators.Device, sizes ...int) (all []accelerators.Buffer, free func(), err error) {
	free = func() {
		for _, x := range all {
			dev.Free(x)
		}
	}
	for _, n := range sizes {
		x, err := dev.Alloc(accelerators.F32, n)
		if err != nil {
			return all, free, err
		}
		dev.Fill(x, 0.01)
		all = append(all, x)
	}
	return all, free, nil
}

func sgemm(b *bench) (report, error) {
	blas, err := b.pythonPeer("openblas.py")
	if err != nil {
		return report{}, err
	}
	t := table{{"M x N x K", "form", "threads", "ours", "OpenBLAS", "ratio"}}
	var ratios []float64
	for _, threads := range []int{1, 2} {
		dev, err := cpu.New(threads)
		if err != nil {
			return report{}, err
		}
		defer dev.Close()
		for _, p := range products() {
			we, they, err := b.sgemmDuel(p, dev, blas, threads)
			if err != nil {
				return report{}, err
			}
			work := p.flops() / 1e9
			t.row(p.String(), p.form, fmt.Sprint(threads), we.rate(work), they.rate(work), number(we.over(they)))
			ratios = append(ratios, we.over(they))
		}
	}
	mean, least := geometric(ratios)
	f := figure{workSGEMM, fmt.Sprintf("%.3f, minimum %.2f", mean, least), mean >= 1.02 && least >= 0.9}
	body := "GFLOP/s, best (median); one thread by processor time, two by wall time.\n\n" + t.String()
	return report{body, []figure{f}}, nil
}

func (b *bench) sgemmDuel(p product, dev accelerators.Device, blas *peer, threads int) (we, they series, err error) {
	us, free, err := p.side(dev, accelerators.F32)
	defer free()
	if err != nil {
		return we, they, err
	}
	we, they, err = b.duel(us, blas.side("OpenBLAS", p.request("sgemm", "", threads)), threads == 1)
	if err != nil {
		return we, they, err
	}
	return we, they, blas.forget()
}
