//go:build cuda

package cuda

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

// plainCPU is the device that computes by plain loops.
func plainCPU(t *testing.T) accelerators.Device {
	t.Helper()
	t.Setenv("CAREBOT_CPU", "generic")
	d, err := cpu.New(1)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A side is a device with operands that begin lead elements into an allocation: with none they lie on a boundary, for
// whole vectors.
type side struct {
	accelerators.Device
	t    *testing.T
	lead int
}

func (s side) alloc(t accelerators.DType, n int) accelerators.Buffer {
	s.t.Helper()
	b, err := s.Alloc(t, s.lead+n)
	if err != nil {
		s.t.Fatal(err)
	}
	return b.Slice(s.lead, n)
}

func (s side) floats(x []float32) accelerators.Buffer {
	b := s.alloc(accelerators.F32, len(x))
	s.UploadF32(b, x)
	return b
}

// bits are those of a buffer.
func (s side) bits(b accelerators.Buffer) []uint32 {
	s.t.Helper()
	out := make([]uint32, b.Len)
	if b.Type == accelerators.I32 {
		x := make([]int32, b.Len)
		if err := s.DownloadI32(x, b); err != nil {
			s.t.Fatal(err)
		}
		for i, v := range x {
			out[i] = uint32(v)
		}
		return out
	}
	x := make([]float32, b.Len)
	if err := s.DownloadF32(x, b); err != nil {
		s.t.Fatal(err)
	}
	for i, v := range x {
		out[i] = math.Float32bits(v)
	}
	return out
}

// drawn is n numbers of many sizes.
func drawn(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64() * math.Pow(10, -4*r.Float64()))
	}
	return x
}

// sameBits runs work on plain loops of the CPU and on the device under test, with operands on boundaries and beside
// them, and wants the same bits in each buffer that it returns.
func sameBits(t *testing.T, work func(s side) []accelerators.Buffer) {
	plain := side{plainCPU(t), t, 0}
	defer plain.Close()
	var want [][]uint32
	for _, b := range work(plain) {
		want = append(want, plain.bits(b))
	}
	for _, lead := range []int{0, 1, 4} {
		device := side{opened(t), t, lead}
		for i, b := range work(device) {
			got := device.bits(b)
			for j, w := range want[i] {
				if got[j] != w {
					t.Fatalf("lead %d: element %d of result %d has the bits %08x, want %08x", lead, j, i, got[j], w)
				}
			}
		}
		if err := device.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

var bitLengths = []int{1, 255, 256, 259, 2048, 5001}

func stepAt(s side, step int) accelerators.AdamW {
	return accelerators.AdamW{LR: 0.01, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Step: step,
		Seed: 1<<40 + 7, Squared: s.floats([]float32{7.25}), MaxNorm: 1}
}

// A stepping is how to step, and what the moments lie in.
type stepping struct {
	step    func(param, grad accelerators.Buffer, s accelerators.AdamW)
	moments []accelerators.Buffer
}

var steppings = map[string]func(s side, n int) stepping{
	"f32": func(s side, n int) stepping {
		m, v := s.alloc(accelerators.F32, n), s.alloc(accelerators.F32, n)
		step := func(p, g accelerators.Buffer, a accelerators.AdamW) { s.AdamW(p, g, m, v, a) }
		return stepping{step, []accelerators.Buffer{m, v}}
	},
	"bf16": func(s side, n int) stepping {
		m, v := s.alloc(accelerators.I32, (n+1)/2), s.alloc(accelerators.I32, (n+1)/2)
		step := func(p, g accelerators.Buffer, a accelerators.AdamW) { s.AdamWBF16(p, g, m, v, a) }
		return stepping{step, []accelerators.Buffer{m, v}}
	},
	"8 bits": func(s side, n int) stepping {
		m, v := s.codes(n), s.codes(n)
		step := func(p, g accelerators.Buffer, a accelerators.AdamW) { s.AdamW8Bit(p, g, m, v, a) }
		return stepping{step, []accelerators.Buffer{m.Codes, m.Scales, v.Codes, v.Scales}}
	},
}

func TestStepsHaveTheBitsOfTheCPU(t *testing.T) {
	for name, begin := range steppings {
		for _, n := range bitLengths {
			t.Run(fmt.Sprint(name, "/", n), func(t *testing.T) {
				sameBits(t, func(s side) []accelerators.Buffer {
					param := s.floats(drawn(1, n))
					of := begin(s, n)
					for i := 1; i <= 3; i++ {
						of.step(param, s.floats(drawn(uint64(1+i), n)), stepAt(s, i))
					}
					return append(of.moments, param)
				})
			})
		}
	}
}

// TestMomentsKeepWhatIsNoNumber: the NaN of a GPU's arithmetic is all ones, to which random bits must not be added.
func TestMomentsKeepWhatIsNoNumber(t *testing.T) {
	const n = 64
	nan := slices.Repeat([]float32{math.Float32frombits(0x7fffffff)}, n)
	s := side{opened(t), t, 0}
	defer s.Close()
	m, v := s.alloc(accelerators.I32, n/2), s.alloc(accelerators.I32, n/2)
	s.AdamWBF16(s.floats(nan), s.floats(nan), m, v, accelerators.AdamW{LR: 1, Beta1: 0.9, Beta2: 0.95, Step: 1})
	for name, moments := range map[string]accelerators.Buffer{"m": m, "v": v} {
		for i, word := range s.bits(moments) {
			if low, high := math.Float32frombits(word<<16), math.Float32frombits(word); low == low || high == high {
				t.Fatalf("word %d of %s is %#08x", i, name, word)
			}
		}
	}
}

// codes has bytes beyond its last number, which a step must leave as they are.
func (s side) codes(n int) accelerators.Dynamic8 {
	words := make([]int32, (n+3)/4)
	if n%4 != 0 {
		words[len(words)-1] = -1 << (8 * (n % 4))
	}
	codes := s.alloc(accelerators.I32, len(words))
	s.UploadI32(codes, words)
	return accelerators.Dynamic8{Codes: codes, Scales: s.alloc(accelerators.F32, blocks(n, dynamic8Block))}
}

func TestPackedWeightsHaveTheBitsOfTheCPU(t *testing.T) {
	for _, n := range append(slices.Clone(bitLengths), 100_000) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			sameBits(t, func(s side) []accelerators.Buffer {
				packed, out := s.alloc(accelerators.I32, accelerators.NF4Words(n)), s.alloc(accelerators.F32, n)
				s.PackNF4(packed, s.floats(drawn(3, n)))
				s.UnpackNF4(out, packed, n, 0)
				return []accelerators.Buffer{packed, out}
			})
		})
	}
}

// rounded is x to the nearest bfloat16, ties to even.
func rounded(x float32) float32 {
	bits := math.Float32bits(x)
	return math.Float32frombits((bits + 0x7fff + bits>>16&1) &^ 0xffff)
}

func (s side) want(name string, b accelerators.Buffer, want func(i int) float32) {
	s.t.Helper()
	for i, got := range s.bits(b) {
		if got != math.Float32bits(want(i)) {
			s.t.Fatalf("lead %d: %s[%d] is %v, want %v", s.lead, name, i, math.Float32frombits(got), want(i))
		}
	}
}

// leads runs a test with operands on boundaries and beside them.
func leads(t *testing.T, test func(s side)) {
	for _, lead := range []int{0, 1, 4} {
		s := side{opened(t), t, lead}
		test(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConversionsRoundToTheNearest(t *testing.T) {
	const n = 5001
	a, halves := drawn(1, n), make([]uint16, 0x7c01) // all that are not negative, and no NaN
	for i := range halves {
		halves[i] = uint16(i)
	}
	leads(t, func(s side) {
		x, y := s.alloc(accelerators.BF16, n), s.alloc(accelerators.BF16, n)
		s.UploadF32(x, a)
		s.want("UploadF32", x, func(i int) float32 { return rounded(a[i]) })
		s.Copy(y, s.floats(a))
		s.want("Copy", y, func(i int) float32 { return rounded(a[i]) })
		s.Fill(y.Slice(1, n-1), 1.00390625)
		s.want("Fill", y.Slice(1, n-1), func(int) float32 { return 1 })
		s.Copy(y, x)
		s.want("Copy of bf16", y, func(i int) float32 { return rounded(a[i]) })
		wide, narrow := s.alloc(accelerators.F32, len(halves)), s.alloc(accelerators.BF16, len(halves))
		s.UploadF16(wide, halves)
		s.UploadF16(narrow, halves)
		exact := s.bits(wide)
		s.want("UploadF16", narrow, func(i int) float32 { return rounded(math.Float32frombits(exact[i])) })
		s.UploadBF16(narrow, halves)
		s.want("UploadBF16", narrow, func(i int) float32 { return math.Float32frombits(uint32(i) << 16) })
	})
}

func TestVectorsOfBF16RoundOnce(t *testing.T) {
	const n = 5001
	a, b := drawn(1, n), drawn(2, n)
	for i := range a {
		a[i], b[i] = rounded(a[i]), rounded(b[i])
	}
	leads(t, func(s side) {
		x, y, z := s.alloc(accelerators.BF16, n), s.alloc(accelerators.BF16, n), s.alloc(accelerators.BF16, n)
		s.UploadF32(x, a)
		s.UploadF32(y, b)
		s.Add(z, x, y)
		s.want("Add", z, func(i int) float32 { return rounded(a[i] + b[i]) })
		s.Mul(z, x, y)
		s.want("Mul", z, func(i int) float32 { return rounded(a[i] * b[i]) })
		s.Axpy(y, x, 2)
		s.want("Axpy", y, func(i int) float32 { return rounded(b[i] + 2*a[i]) })
		s.Scale(x, 3)
		s.want("Scale", x, func(i int) float32 { return rounded(3 * a[i]) })
		packed, wide := s.alloc(accelerators.I32, accelerators.NF4Words(n)), s.alloc(accelerators.F32, n-128)
		s.PackNF4(packed, s.floats(a))
		s.UnpackNF4(wide, packed, n, 128)
		s.UnpackNF4(z.Slice(0, n-128), packed, n, 128)
		exact := s.bits(wide)
		s.want("UnpackNF4", z.Slice(0, n-128), func(i int) float32 { return rounded(math.Float32frombits(exact[i])) })
	})
}
