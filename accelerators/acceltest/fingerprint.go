package acceltest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Print is what one operation left in its destinations.
type Print struct {
	Op     string
	Values []float32
}

// Fingerprint runs every kernel on fixed input, in sizes that a device cuts into many blocks. Devices that promise
// the same bits have the same fingerprint.
func Fingerprint(t *testing.T, dev accelerators.Device) []Print {
	t.Helper()
	f := newPrinter(t, dev, accelerators.F32)
	f.matrices()
	f.rows()
	f.norms()
	f.elements()
	f.attention()
	f.decode()
	f.head()
	f.sample()
	f.packed()
	f.matricesBF16()
	f.reset()
	return f.prints
}

// fingerprintBF16 is that of activations in BF16.
func fingerprintBF16(t *testing.T, dev accelerators.Device) []Print {
	f := newPrinter(t, dev, accelerators.BF16)
	f.rows()
	f.norms()
	f.attention()
	f.decode()
	f.head()
	f.reset()
	return f.prints
}

// Same fails the test unless two fingerprints are equal bit by bit.
func Same(t *testing.T, want, got []Print) {
	t.Helper()
	bits := func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }
	for i, w := range want {
		if !slices.EqualFunc(w.Values, got[i].Values, bits) {
			t.Errorf("%s gives other bits", w.Op)
		}
	}
}

type printer struct {
	*rig
	prints []Print
}

func newPrinter(t *testing.T, dev accelerators.Device, held accelerators.DType) *printer {
	return &printer{rig: &rig{t: t, dev: dev, form: form{held: held}, rand: rand.New(rand.NewPCG(7, 7))}}
}

func (f *printer) print(op string, destinations ...accelerators.Buffer) {
	f.t.Helper()
	for _, b := range destinations {
		f.prints = append(f.prints, Print{op, f.download(b)})
	}
}

func (f *printer) random(n int) accelerators.Buffer { return f.upload(f.normal(n)) }

func (f *printer) active(n int) accelerators.Buffer { return f.activations(f.normal(n)) }

func (f *printer) matrices() {
	for _, shape := range [][3]int{{70, 130, 800}, {130, 150, 800}, {150, 2100, 30}} {
		for form := range 4 {
			s := accelerators.MatMul{M: shape[0], N: shape[1], K: shape[2], TransA: form&1 != 0, TransB: form&2 != 0}
			s.Alpha, s.Beta = 0.5, 0.5
			c := f.random(s.M * s.N)
			f.dev.MatMul(c, f.random(s.M*s.K), f.random(s.K*s.N), s)
			f.print("MatMul", c)
		}
	}
}

func (f *printer) rows() {
	const rows, width, entries = 700, 200, 50
	ids := f.uploadInts(f.indices(rows, entries))
	out, table, dout := f.result(rows*width), f.random(entries*width), f.active(rows*width)
	f.dev.Embed(out, table, ids, width)
	f.dev.EmbedGrad(table, dout, ids, width)
	f.print("Embed and EmbedGrad", out, table)
	x := f.result(entries * width)
	f.dev.Copy(x, table)
	f.dev.Gather(out, x, ids, width)
	f.dev.GatherGrad(x, dout, ids, width)
	f.print("Gather and GatherGrad", out, x)
	bias := f.random(width)
	f.dev.AddBias(out, bias, width)
	f.dev.BiasGrad(bias, out, width)
	f.print("AddBias and BiasGrad", out, bias)
	s := accelerators.RoPE{Heads: 2, Dim: 50, Stride: width}
	f.dev.RoPE(out, f.random(entries*25), f.random(entries*25), ids, s)
	f.print("RoPE", out)
}

func (f *printer) norms() {
	const rows, width = 700, 200
	x, w, b, dy := f.active(rows*width), f.random(width), f.random(width), f.active(rows*width)
	y, mean, rstd := f.result(rows*width), f.output(rows), f.output(rows)
	dx, dw, db := f.active(rows*width), f.random(width), f.random(width)
	f.dev.RMSNorm(y, rstd, x, w, width, epsilon)
	f.print("RMSNorm", y, rstd)
	f.dev.RMSNormGrad(dx, dw, dy, x, w, rstd, width)
	f.print("RMSNormGrad", dx, dw)
	s := accelerators.HeadNorm{Tokens: rows, Heads: 3, Dim: 50, Stride: width, Eps: epsilon}
	stats, gain := f.output(rows*s.Heads), f.random(s.Dim)
	f.dev.HeadNorm(y, stats, x, gain, s)
	f.print("HeadNorm", y, stats)
	dgain := f.random(s.Dim)
	f.dev.HeadNormGrad(y, dgain, dy, x, gain, stats, s)
	f.print("HeadNormGrad", y, dgain)
	f.dev.LayerNorm(y, mean, rstd, x, w, b, width, epsilon)
	f.print("LayerNorm", y, mean, rstd)
	f.dev.LayerNormGrad(dx, dw, db, dy, x, w, mean, rstd, width)
	f.print("LayerNormGrad", dx, dw, db)
}

func (f *printer) elements() {
	const n, inner = 90000, 300
	x, y, z, sum := f.random(n), f.random(n), f.random(n), f.output(1)
	f.dev.Dot(sum, x, y)
	f.print("Dot", sum)
	f.dev.SquaredNorm(sum, x)
	f.print("SquaredNorm", sum)
	f.dev.Add(z, x, y)
	f.dev.Mul(z, z, x)
	f.dev.Axpy(z, y, 0.3)
	f.dev.Scale(z, 0.7)
	f.print("Add, Mul, Axpy and Scale", z)
	f.dev.GELU(y, x)
	f.dev.GELUGrad(z, y, x)
	f.print("GELU and GELUGrad", y, z)
	f.dev.GELUTanh(y, x)
	f.dev.GELUTanhGrad(z, y, x)
	f.print("GELUTanh and GELUTanhGrad", y, z)
	f.dev.Tanh(y, x)
	f.dev.TanhGrad(z, x, y)
	f.print("Tanh and TanhGrad", y, z)
	f.dev.SwiGLU(y.Slice(0, n/2), x, inner)
	f.dev.SwiGLUGrad(z, y.Slice(0, n/2), x, inner)
	f.print("SwiGLU and SwiGLUGrad", y, z)
	f.dev.GeGLU(y.Slice(0, n/2), x, inner)
	f.dev.GeGLUGrad(z, y.Slice(0, n/2), x, inner)
	f.print("GeGLU and GeGLUGrad", y, z)
	m, v := f.upload(make([]float64, n)), f.upload(make([]float64, n))
	f.dev.AdamW(x, z, m, v, accelerators.AdamW{LR: 0.01, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, WeightDecay: 0.1,
		Step: 1})
	f.print("AdamW", x, m, v)
	f.compactMoments(x, z)
}

// compactMoments does two steps with each representation of moments.
func (f *printer) compactMoments(x, g accelerators.Buffer) {
	s := accelerators.AdamW{LR: 0.01, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, WeightDecay: 0.1, Seed: 11}
	m, v := f.zeros(x.Len/2), f.zeros(x.Len/2)
	m8, v8 := f.dynamic8(x.Len), f.dynamic8(x.Len)
	for s.Step = 1; s.Step <= 2; s.Step++ {
		f.dev.AdamWBF16(x, g, m, v, s)
		f.dev.AdamW8Bit(x, g, m8, v8, s)
	}
	f.print("AdamWBF16 and AdamW8Bit", x, m8.Scales, v8.Scales)
	for _, b := range []accelerators.Buffer{m, v, m8.Codes, v8.Codes} {
		words := f.downloadInts(b)
		bits := make([]float32, len(words))
		for i, w := range words {
			bits[i] = math.Float32frombits(uint32(w))
		}
		f.prints = append(f.prints, Print{"AdamWBF16 and AdamW8Bit", bits})
	}
}

func (f *printer) attention() {
	for _, form := range f.forms(90) {
		p := newPacking(f.rig, []int{530, 1, 17, 100}, 2, 1, 24, 0)
		p.take(form)
		d := p.upload(f.rig)
		f.dev.Attention(d.out, d.lse, d.q, d.k, d.v, d.Attention)
		f.print(fingerprintName("Attention", form.Compute), d.out, d.lse)
		dq, dk, dv, dout := f.result(len(p.q)), f.result(len(p.k)), f.result(len(p.v)), f.active(d.out.Len)
		f.dev.AttentionGrad(dq, dk, dv, dout, d.out, d.lse, d.q, d.k, d.v, d.Attention)
		f.print(fingerprintName("AttentionGrad", form.Compute), dq, dk, dv)
	}
}

func (f *printer) decode() {
	s := accelerators.AttentionDecode{Queries: 7, Heads: 4, KVHeads: 2, HeadDim: 40, Scale: 0.2,
		Pages: 8, PageSize: 17, Sequences: 2, Columns: 3}
	s.Table, s.Owners = f.uploadInts([]int32{3, 0, 7, 5, 1, 6}), f.uploadInts([]int32{0, 0, 1, 1, 0, 1, 1})
	s.Lengths = f.uploadInts([]int32{50, 1, 9, 17, 33, 2, 49})
	width := s.Heads * s.HeadDim
	out := f.result(s.Queries * width)
	f.dev.AttentionDecode(out, f.active(s.Queries*width), f.active(2*s.Pages*s.PageSize*s.KVHeads*s.HeadDim), s)
	f.print("AttentionDecode", out)
}

func (f *printer) head() {
	s := accelerators.Head{Tokens: 150, Width: 20, Vocab: 5003, Compute: f.held}
	hidden, weight, targets := f.active(s.Tokens*s.Width), f.active(s.Vocab*s.Width), f.indices(s.Tokens, s.Vocab)
	targets[5], targets[140] = -1, -1
	at := f.uploadInts(targets)
	nll, lse := f.output(s.Tokens), f.output(s.Tokens)
	logits := f.output(64 * s.Vocab)
	f.dev.HeadLoss(nll, lse, hidden, weight, at, logits, s)
	f.print("HeadLoss", nll)
	dhidden, dweight := f.result(hidden.Len), f.random(weight.Len)
	dnll := f.random(s.Tokens)
	f.dev.HeadLossGrad(dhidden, dweight, dnll, hidden, weight, at, lse, logits, s)
	f.print("HeadLossGrad", dhidden, dweight)
	f.dev.HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, at, logits, s)
	f.print("HeadLearn", nll, dhidden, dweight)
}

func (f *printer) sample() {
	const rows, vocab = 100, 1000
	ids := f.alloc(accelerators.I32, rows)
	f.dev.Sample(ids, f.random(rows*vocab), vocab,
		counted(accelerators.Draw{Temperature: 1, TopK: 200, TopP: 0.9, Seed: 5}, rows))
	var drawn []float32
	for _, id := range f.downloadInts(ids) {
		drawn = append(drawn, float32(id))
	}
	f.prints = append(f.prints, Print{"Sample", drawn})
}
