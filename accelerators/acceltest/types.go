package acceltest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/accelerators"
)

// testMemoryBF16: memory in bfloat16, to and from which all else is rounded or widened.
func testMemoryBF16(r *rig) {
	r.run("allocations are zero", func(r *rig) {
		b, err := r.dev.Alloc(accelerators.BF16, 5001)
		if err != nil {
			r.t.Fatal(err)
		}
		r.compare("memory", r.download(b), make([]float64, 5001), exactly)
		r.dev.Free(b)
	})
	r.run("windows are separate", func(r *rig) {
		b := r.activations([]float64{1, 2, 3, 4, 5, 6, 7})
		r.dev.Fill(b.Slice(1, 3), 1+1.0/256)
		r.dev.Copy(b.Slice(4, 2), b.Slice(0, 2))
		r.expect("window", b, []float64{1, 1, 1, 1, 1, 1, 7}, exactly)
	})
	r.run("bits", func(r *rig) {
		b := r.result(1 << 16)
		r.dev.UploadBF16(b, everySixteen())
		r.sameBits("UploadBF16", b, everySixteen(), func(bits uint16) float64 {
			return float64(math.Float32frombits(uint32(bits) << 16))
		})
		r.dev.UploadF16(b, everySixteen())
		r.sameBits("UploadF16", b, everySixteen(), func(bits uint16) float64 { return toBF16(half(bits)) })
	})
	r.run("conversions", testConversions)
}

// testConversions: to the nearest, of two the even one, whatever the way.
func testConversions(r *rig) {
	const step = 1.0 / 128
	x := []float64{0, 1, -1, 1 + step/2, 1 + 1.5*step, -1 - step/2, 1 + 0.51*step, 3e38, -3e38, 3.4e38, 1e-30, 0.1,
		math.Inf(1), math.Inf(-1), 255.5, 256.5}
	for len(x) < 5000 {
		x = append(x, draws()[len(x)])
	}
	for i := range x {
		x[i] = float64(float32(x[i]))
	}
	rounded := allToBF16(x)
	wide, half, again := r.upload(x), r.result(len(x)), r.output(len(x))
	r.dev.Copy(half, wide)
	r.expect("Copy to BF16", half, rounded, exactly)
	r.expect("UploadF32", r.activations(x), rounded, exactly)
	r.dev.Copy(again, half)
	r.expect("Copy to F32", again, rounded, exactly)
	odd := r.result(7)
	r.dev.Copy(odd, wide.Slice(4, 7))
	r.expect("Copy of a window", odd, rounded[4:11], exactly)
}

// productTypes are the types of C, A and B.
var productTypes = [][3]accelerators.DType{
	{accelerators.BF16, accelerators.BF16, accelerators.BF16}, {accelerators.F32, accelerators.BF16, accelerators.BF16},
	{accelerators.F32, accelerators.F32, accelerators.BF16}, {accelerators.BF16, accelerators.F32, accelerators.BF16},
	{accelerators.BF16, accelerators.BF16, accelerators.F32}, {accelerators.BF16, accelerators.F32, accelerators.F32},
}

var typedShapes = [][3]int{
	{1, 1, 1}, {2, 65, 3}, {7, 17, 33}, {64, 64, 64}, {97, 17, 1025}, {145, 128, 33}, {130, 200, 300},
}

// testMatMulTypes: products that compute in BF16 take each operand as it comes.
func testMatMulTypes(r *rig) {
	for _, shape := range typedShapes {
		for form := range 4 {
			s := accelerators.MatMul{M: shape[0], N: shape[1], K: shape[2], Alpha: 1, Compute: accelerators.BF16,
				TransA: form&1 != 0, TransB: form&2 != 0}
			r.run(fmt.Sprintf("%dx%dx%d/A^T=%v/B^T=%v", s.M, s.N, s.K, s.TransA, s.TransB), func(r *rig) {
				for _, types := range productTypes {
					s := s
					newTypedCase(r, s, types).check(r)
					s.Alpha, s.Beta = 0.5, 1
					newTypedCase(r, s, types).spoil(r).check(r)
					s.Beta, s.StrideA, s.StrideB, s.StrideC = -2, s.M+s.K+3, s.N+s.K+5, s.N+7
					newTypedCase(r, s, types).check(r)
				}
			})
		}
	}
}

func newTypedCase(r *rig, s accelerators.MatMul, types [3]accelerators.DType) *bf16Case {
	c := newBF16Case(r, s)
	c.types = types
	return c
}

// typeMistakes are calls on types that do not go together.
func typeMistakes(r *rig) map[string]func() {
	d, wide, half := r.dev, r.upload(r.normal(16)), r.activations(r.normal(16))
	head := accelerators.Head{Tokens: 4, Width: 4, Vocab: 4, Compute: accelerators.BF16}
	return map[string]func(){
		"Add":         func() { d.Add(half, wide, half) },
		"Axpy":        func() { d.Axpy(half, wide, 1) },
		"SwiGLU":      func() { d.SwiGLU(wide.Slice(0, 8), half, 2) },
		"Gather":      func() { d.Gather(half, wide, r.uploadInts([]int32{0, 1}), 8) },
		"Embed":       func() { d.Embed(wide.Slice(0, 8), half, r.uploadInts([]int32{1}), 8) },
		"AddBias":     func() { d.AddBias(wide, half.Slice(0, 4), 4) },
		"RMSNorm":     func() { d.RMSNorm(half, wide.Slice(0, 4), half, half.Slice(0, 4), 4, 1) },
		"LayerNorm":   func() { d.LayerNorm(half, half, half, half, wide.Slice(0, 4), wide.Slice(0, 4), 4, 1) },
		"MatMul":      func() { d.MatMul(wide, half, half, accelerators.MatMul{M: 4, N: 4, K: 4, Alpha: 1}) },
		"HeadLoss":    func() { d.HeadLoss(wide, wide, half, wide, r.uploadInts(make([]int32, 4)), wide, head) },
		"SquaredNorm": func() { d.SquaredNorm(wide.Slice(0, 1), half) },
		"AdamW":       func() { d.AdamW(half, wide, wide, wide, accelerators.AdamW{Step: 1}) },
		"Attention": func() {
			d.Attention(half, wide, half, half, half, accelerators.Attention{Tokens: 4, Heads: 1, KVHeads: 1, HeadDim: 4,
				StrideQ: 4, StrideK: 4, StrideV: 4, Offsets: r.uploadInts([]int32{0, 4}), Sequences: 1, MaxLen: 4, Scale: 1})
		},
	}
}

// testTypeMistakes: each is an error that names the operation, and of which the device recovers.
func testTypeMistakes(r *rig) {
	cases := typeMistakes(r)
	for _, op := range slices.Sorted(maps.Keys(cases)) {
		cases[op]()
		if err := r.dev.Sync(); err == nil || !strings.Contains(err.Error(), op) {
			r.t.Errorf("%s of types that do not go together: error %v", op, err)
		}
		if err := r.dev.Sync(); err != nil {
			r.t.Errorf("%s: the error came twice: %v", op, err)
		}
	}
	r.owned = nil // the operands that met mistakes are not looked at again
}

// testFetch: what is fetched is what was there, whatever came after.
func testFetch(r *rig) {
	x, first, second := r.upload([]float64{1, 2, 3}), make([]float32, 2), make([]float32, 3)
	one := r.dev.FetchF32(first, x.Slice(1, 2))
	r.dev.Scale(x, 2)
	two := r.dev.FetchF32(second, x)
	r.dev.Fill(x, 9)
	for _, wait := range []func() error{one, two} {
		if wait == nil { // it is there
			continue
		}
		if err := wait(); err != nil {
			r.t.Fatal(err)
		}
	}
	r.compare("first", first, []float64{2, 3}, exactly)
	r.compare("second", second, []float64{2, 4, 6}, exactly)
	r.dev.Axpy(x, accelerators.Buffer{}, 1)
	if wait := r.dev.FetchF32(first, x.Slice(0, 2)); wait == nil || wait() == nil {
		r.t.Error("a fetch after a mistake returned no error")
	}
	if r.dev.Sync() == nil {
		r.t.Error("Sync returned no error")
	}
}

// testTogether: a unit of calls does what the calls do, each time, with what is there then.
func testTogether(r *rig) {
	x, y, z := r.upload([]float64{1, 2}), r.upload([]float64{3, 4}), r.output(2)
	for i := range 5 {
		r.dev.Together(func() {
			r.dev.Add(z, x, y)
			if i == 3 { // the calls may change
				r.dev.Scale(z, 2)
			}
			r.dev.Copy(x, z)
		})
		r.dev.UploadF32(y, []float32{float32(i), 1})
	}
	// (1,2), +(3,4), +(0,1), +(1,1), then (+(2,1))*2, +(3,1)
	r.expect("x", x, []float64{17, 19}, exactly)
	var seen []float32
	r.dev.Together(func() {
		r.dev.Fill(z, 5)
		seen = r.download(z)
	})
	r.compare("within", seen, []float64{5, 5}, exactly)
}
