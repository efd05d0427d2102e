package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

func TestTileKernelsAgreeWithPlainGo(t *testing.T) {
	assembly(t, func(t *testing.T, set *kernelSet) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, n := range rowLengths {
			stride := n + 3
			x, tops, sums := operand(t, r, 5*stride+n), operand(t, r, tileRows), operand(t, r, tileRows)
			wantX, wantTops, wantSums := clone(t, x), clone(t, tops), clone(t, sums)
			set.softmaxTile(x, stride, n, tops, sums)
			softmaxTileGeneric(wantX, stride, n, wantTops, wantSums)
			near(t, "softmaxTile", n, wantX, x)
			near(t, "softmaxTile's tops", n, wantTops, tops)
			near(t, "softmaxTile's sums", n, wantSums, sums)
			d := operand(t, r, len(x))
			wantD := clone(t, d)
			set.softmaxGradTile(x, d, stride, n, tops, sums, 0.7)
			softmaxGradTileGeneric(wantX, wantD, stride, n, tops, sums, 0.7)
			near(t, "softmaxGradTile's p", n, wantX, x)
			near(t, "softmaxGradTile's d", n, wantD, d)
		}
	})
}

func TestRowsOfACacheAgreeWithPlainGo(t *testing.T) {
	assembly(t, func(t *testing.T, set *kernelSet) {
		r := rand.New(rand.NewPCG(7, 8))
		for _, width := range rowLengths {
			for _, rows := range []int{0, 1, 7} {
				stride := width + 3
				w := operand(t, r, rows)
				matrix := operand(t, r, max(0, (rows-1)*stride+width))
				got, want := operand(t, r, width), make([]float32, width)
				set.mixRows(got, w, matrix, stride)
				mixRowsGeneric(want, w, matrix, stride)
				near(t, "mixRows", width, want, got)
			}
		}
	})
}

func TestARowWithoutScoresHasNoWeights(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		x, tops, sums := make([]float32, tileRows*3), make([]float32, tileRows), make([]float32, tileRows)
		fill(x, float32(math.Inf(-1)))
		fill(tops, float32(math.Inf(-1)))
		set.softmaxTile(x, 3, 3, tops, sums)
		for i, v := range append(x, sums...) {
			if v != 0 {
				t.Fatalf("element %d is %v, want 0", i, v)
			}
		}
	})
}

// attentionOperands is an operation with random operands on a device.
type attentionOperands struct {
	accelerators.Attention
	d *Device
	x [9]accelerators.Buffer // q, k, v, dout, out, lse, dq, dk, dv
}

// newOperands has the same values for every device.
func newOperands(t testing.TB, d *Device, s accelerators.Attention, lengths ...int) *attentionOperands {
	o := &attentionOperands{Attention: s, d: d}
	offsets := []int32{0}
	for _, n := range lengths {
		o.MaxLen = max(o.MaxLen, n)
		offsets = append(offsets, offsets[len(offsets)-1]+int32(n))
	}
	o.Sequences, o.Tokens = len(lengths), int(offsets[len(lengths)])
	o.StrideQ, o.StrideK, o.StrideV = s.Heads*s.HeadDim, s.KVHeads*s.HeadDim, s.KVHeads*s.HeadDim
	o.Scale = float32(1 / math.Sqrt(float64(s.HeadDim)))
	b, err := d.Alloc(accelerators.I32, len(offsets))
	if err != nil {
		t.Fatal(err)
	}
	d.UploadI32(b, offsets)
	o.Offsets = b
	r := rand.New(rand.NewPCG(9, 9))
	wide, narrow := o.Tokens*o.StrideQ, o.Tokens*o.StrideK
	for i, n := range [9]int{wide, narrow, narrow, wide, wide, o.Tokens * s.Heads, wide, narrow, narrow} {
		if o.x[i], err = d.Alloc(accelerators.F32, n); err != nil {
			t.Fatal(err)
		}
		if i < 4 {
			d.UploadF32(o.x[i], normals(r, n))
		}
	}
	return o
}

func normals(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func (o *attentionOperands) run() {
	x := o.x
	o.d.Attention(x[4], x[5], x[0], x[1], x[2], o.Attention)
	o.d.AttentionGrad(x[6], x[7], x[8], x[3], x[4], x[5], x[0], x[1], x[2], o.Attention)
}

// values downloads an operand.
func (o *attentionOperands) values(t testing.TB, i int) []float32 {
	x := make([]float32, o.x[i].Len)
	if err := o.d.DownloadF32(x, o.x[i]); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestScratchOfAttentionDoesNotGrowWithTheSequence(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the same for every kernel set")
	}
	size := func(length int) (floats int) {
		d := newDevice(1, bestSet(t))
		newOperands(t, d, accelerators.Attention{Heads: 1, KVHeads: 1, HeadDim: 1, Causal: true}, length).run()
		for _, slot := range d.scratch[0].slots {
			floats += cap(slot)
		}
		return floats
	}
	if short, long := size(2100), size(4200); long > short*5/4 {
		t.Errorf("a worker's scratch is %d floats for 2100 tokens and %d for 4200", short, long)
	}
}

// TestAttentionOverManyTokens compares a sample of queries and keys of a sequence of 32,768 tokens, or with -short of
// 2,500, with float64.
func TestAttentionOverManyTokens(t *testing.T) {
	const dim = 2
	length := 32768
	if testing.Short() {
		length = 2500
	}
	o := newOperands(t, newDevice(2, bestSet(t)), accelerators.Attention{Heads: 1, KVHeads: 1, HeadDim: dim, Causal: true},
		length)
	defer o.d.Close()
	o.run()
	p := newPlain(t, o)
	for _, at := range []int{0, 5, 191, 192, 767, 768, 1023, 1024, length / 3, length * 2 / 3, length - 1} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			out, lse, dq := p.query(at)
			dk, dv := p.key(at)
			for i, want := range [][]float64{4: out, 5: {lse}, 6: dq, 7: dk, 8: dv} {
				for j, w := range want {
					if got := p.x[i][at*len(want)+j]; math.Abs(float64(got)-w) > 1e-4*(1+math.Abs(w)) {
						t.Errorf("operand %d: element %d is %v, want %v", i, j, got, w)
					}
				}
			}
		})
	}
}

// plain is causal attention of one head in float64, by the definition, from the operands of a run.
type plain struct {
	dim   int
	scale float64
	x     [9][]float32
}

func newPlain(t *testing.T, o *attentionOperands) *plain {
	p := &plain{dim: o.HeadDim, scale: float64(o.Scale)}
	for i := range p.x {
		p.x[i] = o.values(t, i)
	}
	return p
}

// dot is the product of row i of operand a and row j of operand b.
func (p *plain) dot(a, i, b, j int) (sum float64) {
	for c := range p.dim {
		sum += float64(p.x[a][i*p.dim+c]) * float64(p.x[b][j*p.dim+c])
	}
	return sum
}

func (p *plain) query(t int) (out []float64, lse float64, dq []float64) {
	out, dq = make([]float64, p.dim), make([]float64, p.dim)
	sum := 0.0
	for j := range t + 1 {
		sum += math.Exp(p.scale * p.dot(0, t, 1, j))
	}
	lse = math.Log(sum)
	for j := range t + 1 {
		w := math.Exp(p.scale*p.dot(0, t, 1, j) - lse)
		d := p.scale * w * (p.dot(3, t, 2, j) - p.dot(3, t, 4, t))
		for c := range p.dim {
			out[c] += w * float64(p.x[2][j*p.dim+c])
			dq[c] += d * float64(p.x[1][j*p.dim+c])
		}
	}
	return out, lse, dq
}

func (p *plain) key(j int) (dk, dv []float64) {
	dk, dv = make([]float64, p.dim), make([]float64, p.dim)
	for t := j; t < len(p.x[5]); t++ {
		w := math.Exp(p.scale*p.dot(0, t, 1, j) - float64(p.x[5][t]))
		d := p.scale * w * (p.dot(3, t, 2, j) - p.dot(3, t, 4, t))
		for c := range p.dim {
			dv[c] += w * float64(p.x[3][t*p.dim+c])
			dk[c] += d * float64(p.x[0][t*p.dim+c])
		}
	}
	return dk, dv
}

func TestPassesOfAttentionAllocateNothing(t *testing.T) {
	d := newDevice(1, bestSet(t)) // with more, a worker may meet its first task late and only then get its scratch
	o := &d.ops.attention
	for _, compute := range []accelerators.DType{accelerators.F32, accelerators.BF16} {
		newOperands(t, d, accelerators.Attention{Heads: 4, KVHeads: 2, HeadDim: 16, Causal: true, Compute: compute},
			300, 1, 40).run()
		for name, pass := range map[string]func(){"forward": o.runForward, "backward": o.runBackward} {
			if n := testing.AllocsPerRun(3, pass); n != 0 {
				t.Errorf("the %s pass in %v allocates %v times", name, compute, n)
			}
		}
	}
}

func TestBadSequencesAreErrors(t *testing.T) {
	d := newDevice(1, &genericSet)
	for want, change := range map[string]func(s *accelerators.Attention){
		"Window must not be negative":  func(s *accelerators.Attention) { s.Window = -1 },
		"Tokens is":                    func(s *accelerators.Attention) { s.Tokens = -1 },
		"3 heads do not divide":        func(s *accelerators.Attention) { s.Heads, s.KVHeads = 3, 2 },
		"sequence 0 has 5 tokens":      func(s *accelerators.Attention) { s.MaxLen = 4 },
		"Offsets end with 6":           func(s *accelerators.Attention) { s.Tokens = 5 },
		"Offsets has 3 elements":       func(s *accelerators.Attention) { s.Sequences = 3 },
		"stride 1 is less than":        func(s *accelerators.Attention) { s.StrideK = 1 },
		"q has 24 elements, want":      func(s *accelerators.Attention) { s.StrideQ = 100 },
		"HeadDim is 0, want at least":  func(s *accelerators.Attention) { s.HeadDim = 0 },
		"Offsets is not memory of thi": func(s *accelerators.Attention) { s.Offsets = accelerators.Buffer{} },
	} {
		o := newOperands(t, d, accelerators.Attention{Heads: 2, KVHeads: 1, HeadDim: 2}, 5, 1)
		change(&o.Attention)
		o.run()
		if err := d.Sync(); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "Attention {Tokens:") {
			t.Errorf("got error %v, want one that names the operation, its shape, and %q", err, want)
		}
	}
}

// FuzzAttention compares the best kernel set with plain Go on shapes of the fuzzer's choice.
func FuzzAttention(f *testing.F) {
	f.Add(uint16(7), uint16(1), uint8(2), uint8(1), uint8(5), uint16(0), true)
	f.Add(uint16(300), uint16(197), uint8(1), uint8(3), uint8(17), uint16(100), true)
	f.Add(uint16(200), uint16(0), uint8(1), uint8(1), uint8(64), uint16(3), false)
	f.Fuzz(func(t *testing.T, first, second uint16, kvHeads, group, dim uint8, window uint16, causal bool) {
		s := accelerators.Attention{KVHeads: int(kvHeads%3) + 1, HeadDim: int(dim%130) + 1, Window: int(window % 500),
			Causal: causal}
		s.Heads = s.KVHeads * (int(group%4) + 1)
		lengths := []int{int(first % 800), int(second % 300)}
		want := newOperands(t, newDevice(1, &genericSet), s, lengths...)
		got := newOperands(t, newDevice(1, bestSet(t)), s, lengths...)
		want.run()
		got.run()
		for i := 4; i < 9; i++ {
			closeTo(t, i, want.values(t, i), got.values(t, i))
		}
	})
}

func closeTo(t *testing.T, operand int, want, got []float32) {
	for i, w := range want {
		if math.Abs(float64(got[i]-w)) > 1e-4*(1+math.Abs(float64(w))) {
			t.Fatalf("operand %d: element %d is %v, plain Go has %v", operand, i, got[i], w)
		}
	}
}
