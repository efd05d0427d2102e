package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/carebot-llm/carebot/accelerators"
)

// nearestBF16 is found by distance: the value cut off or the next one, whichever is nearer, or even.
func nearestBF16(x float32) uint32 {
	bits := math.Float32bits(x)
	below := bits &^ 0xffff
	above := below + 0x10000
	value := func(bits uint32) float64 {
		if bits&0x7fff_ffff == 0x7f80_0000 {
			return math.Copysign(0x1p128, float64(x)) // where infinity begins
		}
		return float64(math.Float32frombits(bits))
	}
	switch down, up := math.Abs(float64(x)-value(below)), math.Abs(value(above)-float64(x)); {
	case math.Abs(float64(x)) < 0x1p-126:
		return bits & (1 << 31)
	case math.IsInf(float64(x), 0) || down < up || down == up && below&0x10000 == 0:
		return below
	}
	return above
}

// roundingCases are values of all exponents: ties, their neighbours, and others.
func roundingCases() (x []float32) {
	r := rand.New(rand.NewPCG(5, 6))
	for sign := range uint32(2) {
		for exponent := range uint32(256) {
			for _, high := range []uint32{0, 1, 2, 0x3f, 0x40, 0x7e, 0x7f, r.Uint32N(0x80)} {
				for _, low := range []uint32{0, 1, 0x7fff, 0x8000, 0x8001, 0xffff, r.Uint32N(0x10000)} {
					x = append(x, math.Float32frombits(sign<<31|exponent<<23|high<<16|low))
				}
			}
		}
	}
	return x
}

// unpack is what n values became, as the upper halves of float32.
func unpack(k *bf16Kernels, words []float32, n int) (bits []uint32) {
	for _, w := range words {
		switch b := math.Float32bits(w); k.depth {
		case 1:
			bits = append(bits, b)
		default:
			bits = append(bits, b<<16, b&^0xffff)
		}
	}
	return bits[:n]
}

func TestRoundingIsToTheNearestAndToEven(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		x, k := roundingCases(), set.bf16()
		words := make([]float32, lines(k.words(len(x))))
		k.rows(words, len(words), x, len(x), 1, len(x))
		for i, got := range unpack(&k, words, len(x)) {
			switch isNaN := got&0x7fff_ffff > 0x7f80_0000; {
			case x[i] != x[i] && !isNaN:
				t.Fatalf("%#08x, not a number, became %#08x", math.Float32bits(x[i]), got)
			case x[i] == x[i] && got != nearestBF16(x[i]):
				t.Fatalf("%#08x became %#08x, want %#08x", math.Float32bits(x[i]), got, nearestBF16(x[i]))
			}
		}
	})
}

// word is the word of up to depth values.
func word(k *bf16Kernels, x []float32) uint32 {
	bits := math.Float32bits(roundBF16(x[0]))
	if k.depth == 1 {
		return bits
	}
	bits >>= 16
	if len(x) > 1 {
		bits |= math.Float32bits(roundBF16(x[1]))
	}
	return bits
}

func TestPackingRoundsAndPairs(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		k, r := set.bf16(), rand.New(rand.NewPCG(3, 4))
		for _, rows := range []int{1, 2, 7, 15, 16} {
			for _, cols := range []int{1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64} {
				checkPacking(t, &k, r, rows, cols)
			}
		}
		checkPacking(t, &k, r, 3, 200)
	})
}

// checkPacking packs a matrix in each way, between guards.
func checkPacking(t *testing.T, k *bf16Kernels, r *rand.Rand, rows, cols int) {
	lds := cols + 3
	src := operand(t, r, (rows-1)*lds+cols)
	row := func(i, j int) uint32 { return word(k, src[i*lds+j*k.depth:i*lds+min(cols, (j+1)*k.depth)]) }
	across, down := k.words(cols), k.words(rows)
	expect := func(what string, words []float32, at func(i, j int) int, want func(i, j int) uint32, rows, cols int) {
		for i := range rows {
			for j := range cols {
				if got := math.Float32bits(words[at(i, j)]); got != want(i, j) {
					t.Fatalf("%s of %dx%d: word %d,%d is %#08x, want %#08x", what, rows, cols, i, j, got, want(i, j))
				}
			}
		}
	}
	ldd := lines(across) + 1
	words := guarded(t, (rows-1)*ldd+lines(across))
	k.rows(words, ldd, src, lds, rows, cols)
	expect("rows", words, func(i, j int) int { return i*ldd + j }, row, rows, across)

	words = guarded(t, (across-1)*17+16)
	k.transpose(words, 17, src, lds, rows, cols)
	expect("transpose", words, func(i, j int) int { return j*17 + i }, row, rows, across)

	if cols > 64 {
		return
	}
	ldd = lines(cols) + 1
	words = guarded(t, (down-1)*ldd+lines(cols))
	k.columns(words, ldd, src, lds, rows, cols)
	expect("columns", words, func(i, j int) int { return i*ldd + j }, func(i, j int) uint32 {
		var x []float32
		for p := i * k.depth; p < min(rows, (i+1)*k.depth); p++ {
			x = append(x, src[p*lds+j])
		}
		return word(k, x)
	}, down, cols)
}

// roundedProduct is a product on operands that end where readable memory ends, and what C must become, with the slack
// of each element.
func roundedProduct(t testing.TB, s accelerators.MatMul, seed uint64) (p *product, want, slack []float64) {
	r := rand.New(rand.NewPCG(seed, 1))
	s = denseStrides(s)
	at := func(trans bool, i, j, stride int) int {
		if trans {
			i, j = j, i
		}
		return i*stride + j
	}
	p = &product{MatMul: s}
	p.a = operand(t, r, at(s.TransA, s.M-1, s.K-1, s.StrideA)+1)
	p.b = operand(t, r, at(s.TransB, s.K-1, s.N-1, s.StrideB)+1)
	p.c = operand(t, r, at(false, s.M-1, s.N-1, s.StrideC)+1)
	want, slack = make([]float64, s.M*s.N), make([]float64, s.M*s.N)
	for i := range s.M {
		for j := range s.N {
			sum := float64(s.Beta) * float64(p.c[i*s.StrideC+j])
			size := math.Abs(sum)
			for k := range s.K {
				a, b := p.a[at(s.TransA, i, k, s.StrideA)], p.b[at(s.TransB, k, j, s.StrideB)]
				term := float64(s.Alpha) * float64(roundBF16(a)) * float64(roundBF16(b))
				sum += term
				size += math.Abs(term)
			}
			want[i*s.N+j], slack[i*s.N+j] = sum, size/(1<<20)
		}
	}
	return p, want, slack
}

func checkBF16(t testing.TB, s accelerators.MatMul, seed uint64) {
	p, want, slack := roundedProduct(t, s, seed)
	c := clone(t, p.c)
	for _, set := range testedSets(t) {
		d := newDevice(1, set)
		copy(p.c, c)
		d.multiply(p.c, p.a, p.b, p.MatMul)
		for i, w := range want {
			if got := float64(p.c[i/s.N*p.StrideC+i%s.N]); !(math.Abs(got-w) <= slack[i]) {
				t.Fatalf("%s %+v: c[%d,%d] = %v, want %v", set.name, s, i/s.N, i%s.N, got, w)
			}
		}
	}
}

func TestProductsInBF16AreThoseOfRoundedOperands(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := func(name string, edges ...int) int {
			return rapid.OneOf(rapid.IntRange(1, 70), rapid.SampledFrom(edges)).Draw(rt, name)
		}
		s := accelerators.MatMul{
			M: size("M", 96, 97, 145), N: size("N", 128, 129, 130), K: size("K", 1, 2),
			TransA: rapid.Bool().Draw(rt, "A^T"), TransB: rapid.Bool().Draw(rt, "B^T"),
			Alpha: 0.5, Beta: float32(rapid.IntRange(-1, 2).Draw(rt, "beta")), Compute: accelerators.BF16,
		}
		if rapid.Bool().Draw(rt, "strided") {
			s.StrideA, s.StrideB, s.StrideC = s.M+s.K+1, s.N+s.K+2, s.N+3
		}
		checkBF16(t, s, 1)
	})
}

// Sizes beyond a block, and products that are cut by columns beside those cut by rows.
func TestLargeProductsInBF16(t *testing.T) {
	for _, size := range [][3]int{{300, 40, 2100}, {30, 100, 1100}, {70, 33, 1025}} {
		for form := range 4 {
			checkBF16(t, accelerators.MatMul{M: size[0], N: size[1], K: size[2], TransA: form&1 != 0, TransB: form&2 != 0,
				Alpha: 1, Beta: 1, Compute: accelerators.BF16}, uint64(form))
		}
	}
}

// A row has the same bits alone, in a product that is cut by columns, and in one that is cut by rows.
func TestRowsOfAProductInBF16DoNotDependOnTheOthers(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		d := newDevice(2, set)
		defer d.Close()
		for form := range 4 {
			s := accelerators.MatMul{M: 300, N: 100, K: 1100, TransA: form&1 != 0, TransB: form&2 != 0, Alpha: 0.7, Beta: 0.3,
				Compute: accelerators.BF16}
			whole := firstRows(d, s.M, s)
			for _, few := range []int{1, 17, 50, 130} {
				if !slices.Equal(firstRows(d, few, s), whole[:few*s.N]) {
					t.Errorf("form %d: the first %d rows differ when computed alone", form, few)
				}
			}
		}
	})
}

// Values without a number stay in their row and column, and sums that are hardly any may become zero.
func TestSpecialValuesInBF16StayWhereTheyAre(t *testing.T) {
	const m, n, k, tiny = 40, 40, 50, 0x1p-70
	everySet(t, func(t *testing.T, set *kernelSet) {
		d := newDevice(1, set)
		a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
		d.set.fill(a, tiny)
		d.set.fill(b, tiny)
		a[3*k+k-1], b[(k-1)*n+7] = float32(math.NaN()), float32(math.Inf(1))
		d.multiply(c, a, b, denseStrides(accelerators.MatMul{M: m, N: n, K: k, Alpha: 1, Compute: accelerators.BF16}))
		for i, v := range c {
			switch row, column := i/n, i%n; {
			case row == 3 && v == v:
				t.Fatalf("c[%d,%d] is %v", row, column, v)
			case row != 3 && column == 7 && !math.IsInf(float64(v), 1):
				t.Fatalf("c[%d,%d] is %v", row, column, v)
			case row != 3 && column != 7 && !(math.Abs(float64(v)) <= k*0x1p-126):
				t.Fatalf("c[%d,%d] is %v", row, column, v)
			}
		}
	})
}

func FuzzMatMulBF16(f *testing.F) {
	f.Add(uint8(7), uint8(65), uint8(33), uint8(3), uint8(0), uint64(1))
	f.Add(uint8(98), uint8(130), uint8(64), uint8(1), uint8(9), uint64(2))
	f.Fuzz(func(t *testing.T, m, n, k, form, slack uint8, seed uint64) {
		s := accelerators.MatMul{M: 1 + int(m), N: 1 + int(n), K: 1 + int(k), TransA: form&1 != 0, TransB: form&2 != 0,
			Alpha: -1.5, Beta: float32(form >> 2 & 3), Compute: accelerators.BF16}
		s.StrideA, s.StrideB, s.StrideC = max(s.M, s.K)+int(slack), max(s.N, s.K)+int(slack), s.N+int(slack)
		checkBF16(t, s, seed)
	})
}

func TestProductsInBF16AllocateNothing(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		d := newDevice(2, set)
		defer d.Close()
		for _, m := range []int{5, 100} {
			for form := range 4 {
				p := product{MatMul: denseStrides(accelerators.MatMul{M: m, N: 70, K: 40, Alpha: 1, Compute: accelerators.BF16,
					TransA: form&1 != 0, TransB: form&2 != 0})}
				p.set, p.a, p.b, p.c = set, make([]float32, m*40), make([]float32, 40*70), make([]float32, m*70)
				if n := testing.AllocsPerRun(5, func() { d.multiplyBF16(&p) }); n > 0 {
					t.Errorf("%+v: %v allocations", p.MatMul, n)
				}
			}
		}
	})
}
