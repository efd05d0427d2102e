package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// edges are shapes around every block of a product: tiles, panels, strips, tasks, blocks of K, rows of a transposed A,
// and the limits between the ways through it.
var edges = [][3]uint16{
	{1, 1, 1}, {1, 700, 130}, {5, 15, 7}, {6, 16, 8}, {7, 17, 9}, {8, 49, 16}, {9, 97, 17}, {15, 63, 31}, {16, 64, 33},
	{17, 65, 64}, {33, 48, 767}, {32, 40, 768}, {31, 30, 769}, {95, 70, 20}, {96, 96, 21}, {97, 98, 22}, {127, 128, 40},
	{128, 127, 41}, {129, 130, 42}, {48, 66, 300}, {145, 64, 50}, {144, 66, 50}, {193, 129, 30}, {20, 30, 1537},
	{100, 2047, 9}, {3, 2049, 10}, {130, 2050, 11}, {300, 1, 5}, {1, 1, 2000}, {2, 3, 0}, {64, 70, 30}, {65, 71, 31},
	{2048, 20, 12}, {2049, 40, 13}, {2150, 20, 14}, {700, 260, 24}, {200, 1030, 32},
}

func FuzzMatMul(f *testing.F) {
	for i, e := range edges {
		for form := range byte(4) {
			f.Add(e[0], e[1], e[2], form, byte(i%3), byte(i), uint64(i))
		}
	}
	factors := []float32{1, 0, -0.5, 2}
	f.Fuzz(func(t *testing.T, m, n, k uint16, form, slack, scale byte, seed uint64) {
		s := accelerators.MatMul{M: int(m % 4096), N: int(n % 4096), K: int(k % 2048), TransA: form&1 != 0,
			TransB: form&2 != 0, Alpha: factors[scale&3], Beta: factors[scale>>2&3]}
		if s.M*s.N*(s.K+8) > 1<<23 {
			t.Skip("large")
		}
		if s = denseStrides(s); slack > 0 {
			s.StrideA, s.StrideB, s.StrideC = s.StrideA+int(slack), s.StrideB+1, s.StrideC+int(slack%5)
		}
		checkProduct(t, s, seed)
	})
}

// checkProduct compares every kernel set with plain Go, on operands that end where memory does.
func checkProduct(t *testing.T, s accelerators.MatMul, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 5))
	a := operand(t, r, elements(s.TransA, s.M, s.K, s.StrideA))
	b := operand(t, r, elements(s.TransB, s.K, s.N, s.StrideB))
	c := operand(t, r, elements(false, s.M, s.N, s.StrideC))
	want := slices.Clone(c)
	plainProduct(want, a, b, s)
	for _, set := range testedSets(t) {
		d := newDevice(2, set)
		got := clone(t, c)
		d.MatMul(borrowed(d, got), borrowed(d, a), borrowed(d, b), s)
		err := d.Sync()
		d.Close()
		if err != nil {
			t.Fatal(err)
		}
		limit := 1e-5 * (1 + math.Sqrt(float64(s.K))*8)
		for i, w := range want {
			if !(math.Abs(float64(w-got[i])) <= limit) {
				t.Fatalf("%s: %+v: c[%d] is %v, want %v", set.name, s, i, got[i], w)
			}
		}
	}
}

func elements(trans bool, rows, cols, stride int) int {
	if trans {
		rows, cols = cols, rows
	}
	if rows == 0 || cols == 0 {
		return 0
	}
	return (rows-1)*stride + cols
}

// borrowed is memory of a device that is not its own.
func borrowed(d *Device, x []float32) accelerators.Buffer {
	return accelerators.Buffer{Mem: &memory{dev: d, floats: x}, Len: len(x)}
}

func plainProduct(c, a, b []float32, s accelerators.MatMul) {
	at := func(trans bool, i, j, stride int) int {
		if trans {
			i, j = j, i
		}
		return i*stride + j
	}
	for i := range s.M {
		for j := range s.N {
			sum := 0.0
			for k := range s.K {
				sum += float64(a[at(s.TransA, i, k, s.StrideA)]) * float64(b[at(s.TransB, k, j, s.StrideB)])
			}
			out := &c[i*s.StrideC+j]
			if s.Beta == 0 {
				*out = 0
			}
			*out = float32(float64(s.Alpha)*sum + float64(s.Beta)*float64(*out))
		}
	}
}

// firstRows computes the first m rows of a product of random operands.
func firstRows(d *Device, m int, s accelerators.MatMul) []float32 {
	r := rand.New(rand.NewPCG(1, 9))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	tall := s.M
	a, b, c := random(tall*s.K), random(s.K*s.N), random(tall*s.N)
	s = denseStrides(s)
	s.M = m
	d.multiply(c, a, b, s)
	return c[:m*s.N]
}

func TestRowsOfAProductDoNotDependOnTheOthers(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		d := newDevice(2, set)
		defer d.Close()
		for form := range 4 {
			s := accelerators.MatMul{M: 150, N: 170, K: 800, TransA: form&1 != 0, TransB: form&2 != 0, Alpha: 0.7, Beta: 0.3}
			whole := firstRows(d, s.M, s)
			for _, m := range []int{1, 2, 3, 4, 8, 17, 90, 110} {
				part := firstRows(d, m, s)
				for i, v := range part {
					if math.Float32bits(v) != math.Float32bits(whole[i]) {
						t.Fatalf("form %d: element %d is %v in %d rows, %v in %d", form, i, v, m, whole[i], s.M)
					}
				}
			}
		}
	})
}

func TestBitsOfAProductDoNotDependOnCaches(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		for form := range 4 {
			s := accelerators.MatMul{M: 310, N: 330, K: 1000, Alpha: 0.7, Beta: 0.3}
			s.TransA, s.TransB = form&1 != 0, form&2 != 0
			var want []float32
			for _, cache := range []int{0, 64 << 10, 1 << 20, 64 << 20} {
				d := newDevice(2, set)
				d.blockBytes = cache
				got := firstRows(d, s.M, s)
				d.Close()
				if want == nil {
					want = got
				}
				for i, v := range got {
					if math.Float32bits(v) != math.Float32bits(want[i]) {
						t.Fatalf("form %d, %d bytes: element %d is %v, was %v", form, cache, i, v, want[i])
					}
				}
			}
		}
	})
}

func TestAGridCoversTheProduct(t *testing.T) {
	for _, threads := range []int{1, 2, 16} {
		d := newDevice(threads, &genericSet)
		for _, shape := range [][3]int{
			{1, 1, 1}, {64, 64, 64}, {2048, 768, 768}, {256, 50304, 768}, {512, 64, 512}, {601, 77, 768},
		} {
			p := product{dev: d, set: d.set, rows: span{0, shape[0]}, ks: span{0, shape[2]}}
			p.N = shape[1]
			g := p.cut()
			width := g.panels * d.set.width
			if g.rows%tileRows != 0 || g.across != (p.N+width-1)/width || g.down != (shape[0]+g.rows-1)/g.rows {
				t.Errorf("%v, %d threads: %+v", shape, threads, g)
			}
			if 4*width*shape[2] > max(d.blockBytes, 4*d.set.width*shape[2]) {
				t.Errorf("%v, %d threads: %+v has more columns than %d bytes hold", shape, threads, g, d.blockBytes)
			}
		}
		d.Close()
	}
}

func TestProductsAllocateNothing(t *testing.T) {
	d := newDevice(2, bestSet(t))
	defer d.Close()
	for _, m := range []int{4, 200} {
		for form := range 4 {
			s := denseStrides(accelerators.MatMul{M: m, N: 100, K: 60, TransA: form&1 != 0, TransB: form&2 != 0, Alpha: 1})
			a, b, c := make([]float32, s.M*s.K), make([]float32, s.K*s.N), make([]float32, s.M*s.N)
			if n := testing.AllocsPerRun(5, func() { d.multiply(c, a, b, s) }); n != 0 {
				t.Errorf("%+v: %v allocations", s, n)
			}
		}
	}
}

func TestTheHeadAllocatesNothing(t *testing.T) {
	d := newDevice(2, bestSet(t))
	defer d.Close()
	const tokens, width, vocab = 40, 16, 50
	x := func(n int) accelerators.Buffer { return borrowed(d, make([]float32, n)) }
	targets := make([]int32, tokens)
	targets[3] = -1
	ids := accelerators.Buffer{Len: tokens, Type: accelerators.I32}
	ids.Mem = &memory{dev: d, dtype: accelerators.I32, ints: targets}
	c := d.call("HeadLearn")
	shape := accelerators.Head{Tokens: tokens, Width: width, Vocab: vocab}
	h := c.head(x(tokens*width), x(vocab*width), ids, x(10*vocab), shape)
	h.nll, h.dnll = make([]float32, tokens), make([]float32, tokens)
	h.dhidden, h.dweight = make([]float32, tokens*width), make([]float32, vocab*width)
	if !passed(c, shape) {
		t.Fatal(d.Sync())
	}
	if n := testing.AllocsPerRun(5, func() {
		for h.from = 0; h.chunk(); h.grads() {
			d.each(len(h.rows), h.Vocab, (*headLearn)(h))
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMistakenProductsAreNamed(t *testing.T) {
	d := newDevice(1, &genericSet)
	x, y := borrowed(d, make([]float32, 32)), borrowed(d, make([]float32, 32))
	square := accelerators.MatMul{M: 4, N: 4, K: 4, Alpha: 1}
	narrow := square
	narrow.StrideB = 3
	for _, c := range []struct {
		want    string
		c, a, b accelerators.Buffer
		s       accelerators.MatMul
	}{
		{"c and a overlap", x.Slice(15, 16), x, y, square},
		{"c and b overlap", x, y, x.Slice(0, 16), square},
		{"a has 15 elements, want 16", x, y.Slice(0, 15), y, square},
		{"stride 3 is less than the width 4", x, y, y, narrow},
	} {
		d.MatMul(c.c, c.a, c.b, c.s)
		err := d.Sync()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "MatMul {M:4 N:4 K:4") {
			t.Errorf("got error %v, want %q of MatMul 4x4x4", err, c.want)
		}
	}
}

func TestWindowsOverlap(t *testing.T) {
	whole := borrowed(newDevice(1, &genericSet), make([]float32, 100))
	other := borrowed(newDevice(1, &genericSet), make([]float32, 100))
	for _, c := range []struct {
		name string
		x, y matrix
		want bool
	}{
		{"other memory", matrix{whole, 5, 5, 5}, matrix{other, 5, 5, 5}, false},
		{"the same", matrix{whole, 5, 5, 5}, matrix{whole, 5, 5, 5}, true},
		{"one after the other", matrix{whole, 5, 5, 5}, matrix{whole.Slice(25, 25), 5, 5, 5}, false},
		{"a last element", matrix{whole, 5, 5, 5}, matrix{whole.Slice(24, 25), 5, 5, 5}, true},
		{"side by side", matrix{whole, 5, 5, 10}, matrix{whole.Slice(5, 90), 5, 5, 10}, false},
		{"side by side, later rows", matrix{whole.Slice(25, 70), 5, 5, 10}, matrix{whole, 5, 5, 10}, false},
		{"a common column", matrix{whole, 5, 5, 10}, matrix{whole.Slice(4, 90), 5, 5, 10}, true},
		{"around the end of a row", matrix{whole, 5, 5, 10}, matrix{whole.Slice(8, 90), 5, 3, 10}, true},
		{"other strides", matrix{whole, 5, 5, 10}, matrix{whole.Slice(5, 90), 5, 5, 9}, true},
	} {
		for i, got := range []bool{c.x.overlaps(c.y), c.y.overlaps(c.x)} {
			if got != c.want {
				t.Errorf("%s (order %d): %v, want %v", c.name, i, got, c.want)
			}
		}
	}
}
