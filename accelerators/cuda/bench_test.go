//go:build cuda

package cuda

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

func BenchmarkCopy(b *testing.B) {
	r := newBenchRig(b)
	n := r.size(1<<16) * 4096
	x := r.bf16(n, n)
	r.bandwidth("bf16", 4*n, func() { r.Copy(x[0], x[1]) })
}

// BenchmarkLaunch is how many launches of a kernel of one block there are in a second.
func BenchmarkLaunch(b *testing.B) {
	r := newBenchRig(b)
	x := r.random(accelerators.F32, 32)
	r.rate("small", 1, "launches/s", 0, "", func() { r.Scale(x, 1) })
}

// BenchmarkRows measures what passes over rows of activations, bytes read and written as an ideal kernel does.
func BenchmarkRows(b *testing.B) {
	r := newBenchRig(b)
	for _, width := range []int{768, 4096} {
		n := r.size(16384) * width
		x := r.bf16(n, n, n, 2*n, 2*n)
		f := func(n int) accelerators.Buffer { return r.random(accelerators.F32, n) }
		w, dw, db, mean, rstd := f(width), f(width), f(width), f(n/width), f(n/width)
		name := func(op string) string { return fmt.Sprintf("%s-%d", op, width) }
		r.bandwidth(name("RMSNorm"), 4*n, func() { r.RMSNorm(x[0], rstd, x[1], w, width, 1e-5) })
		r.bandwidth(name("RMSNormGrad"), 8*n, func() { r.RMSNormGrad(x[2], dw, x[0], x[1], w, rstd, width) })
		r.bandwidth(name("LayerNorm"), 4*n, func() { r.LayerNorm(x[0], mean, rstd, x[1], w, w, width, 1e-5) })
		r.bandwidth(name("LayerNormGrad"), 8*n, func() {
			r.LayerNormGrad(x[2], dw, db, x[0], x[1], w, mean, rstd, width)
		})
		r.bandwidth(name("SwiGLU"), 6*n, func() { r.SwiGLU(x[0], x[3], width) })
		r.bandwidth(name("SwiGLUGrad"), 10*n, func() { r.SwiGLUGrad(x[4], x[0], x[3], width) })
		r.bandwidth(name("GELU"), 4*n, func() { r.GELU(x[0], x[1]) })
		r.bandwidth(name("GELUGrad"), 6*n, func() { r.GELUGrad(x[0], x[1], x[2]) })
		r.bandwidth(name("Add"), 6*n, func() { r.Add(x[0], x[1], x[2]) })
		r.release()
	}
}

// BenchmarkRoPE turns the queries and keys of 16384 tokens.
func BenchmarkRoPE(b *testing.B) {
	r := newBenchRig(b)
	const length, dim = 4096, 128
	heads, tokens := r.size(32)+r.size(8), r.size(16384)
	positions := make([]int32, tokens)
	for i := range positions {
		positions[i] = int32(i % length)
	}
	x := r.bf16(tokens * heads * dim)
	cos, sin := r.random(accelerators.F32, length*dim/2), r.random(accelerators.F32, length*dim/2)
	at, s := r.integers(positions...), accelerators.RoPE{Heads: heads, Dim: dim, Stride: heads * dim}
	r.bandwidth(fmt.Sprintf("heads=%d", heads), 4*x[0].Len, func() { r.RoPE(x[0], cos, sin, at, s) })
}

// BenchmarkEmbed has tokens that repeat as words do: the id of rank k comes about 1/k as often as the first.
func BenchmarkEmbed(b *testing.B) {
	r := newBenchRig(b)
	vocab, width, tokens := r.size(128256), r.size(4096), r.size(16384)
	ids := make([]int32, tokens)
	for i := range ids {
		ids[i] = int32(math.Pow(float64(vocab), float64(i)/float64(tokens))) - 1
	}
	rand.New(rand.NewPCG(5, 6)).Shuffle(tokens, func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	distinct := map[int32]bool{}
	for _, id := range ids {
		distinct[id] = true
	}
	table, x, at := r.alloc(accelerators.F32, vocab*width), r.bf16(tokens*width), r.integers(ids...)
	r.bandwidth("forward", 6*tokens*width, func() { r.Embed(x[0], table, at, width) })
	r.bandwidth("backward", (2*tokens+8*len(distinct))*width, func() { r.EmbedGrad(table, x[0], at, width) })
}

// BenchmarkMatMul measures the products of a layer forward, towards its input and towards its weight, in TFLOP/s.
func BenchmarkMatMul(b *testing.B) {
	r := newBenchRig(b)
	for _, c := range []struct{ out, in int }{
		{2304, 768}, {3072, 768}, {4608, 1536}, {17920, 1536}, {6144, 4096}, {28672, 4096},
	} {
		tokens := r.size(16384)
		c.out, c.in = r.size(c.out), r.size(c.in)
		x := r.bf16(tokens*c.in, c.out*c.in, tokens*c.out)
		dw := r.alloc(accelerators.F32, c.out*c.in)
		work := 2 * float64(tokens) * float64(c.in) * float64(c.out)
		name := func(pass string) string { return fmt.Sprintf("%dx%d-%s", c.out, c.in, pass) }
		forward := accelerators.MatMul{M: tokens, N: c.out, K: c.in, TransB: true, Alpha: 1, Compute: accelerators.BF16}
		r.products(name("forward"), work, func() { r.MatMul(x[2], x[0], x[1], forward) })
		input := accelerators.MatMul{M: tokens, N: c.in, K: c.out, Alpha: 1, Compute: accelerators.BF16}
		r.products(name("input"), work, func() { r.MatMul(x[0], x[2], x[1], input) })
		weight := accelerators.MatMul{M: c.out, N: c.in, K: tokens, TransA: true, Alpha: 1, Beta: 1,
			Compute: accelerators.BF16}
		r.products(name("weight"), work, func() { r.MatMul(dw, x[2], x[0], weight) })
		r.release()
	}
}

// BenchmarkAttention counts the operations below the diagonal only, in TFLOP/s.
func BenchmarkAttention(b *testing.B) {
	r := newBenchRig(b)
	for _, c := range []struct{ length, heads, kvHeads, dim int }{
		{1024, 12, 12, 64}, {2048, 12, 2, 128}, {4096, 32, 8, 128}, {8192, 32, 8, 128},
	} {
		sequences := max(1, 16384/c.length)
		length := r.size(c.length)
		tokens := sequences * length
		wide, narrow := tokens*c.heads*c.dim, tokens*c.kvHeads*c.dim
		x := r.bf16(wide, narrow, narrow, wide, wide, wide, narrow, narrow)
		lse := r.alloc(accelerators.F32, tokens*c.heads)
		starts := make([]int32, sequences+1)
		for i := range starts {
			starts[i] = int32(i * length)
		}
		s := accelerators.Attention{Tokens: tokens, Heads: c.heads, KVHeads: c.kvHeads, HeadDim: c.dim,
			StrideQ: c.heads * c.dim, StrideK: c.kvHeads * c.dim, StrideV: c.kvHeads * c.dim,
			Offsets: r.integers(starts...), Sequences: sequences, MaxLen: length, Causal: true,
			Scale: float32(1 / math.Sqrt(float64(c.dim))), Compute: accelerators.BF16}
		work := 2 * float64(tokens) * float64(length) * float64(c.heads*c.dim)
		name := func(pass string) string {
			return fmt.Sprintf("T=%d-heads=%d,%d-d=%d-%s", c.length, c.heads, c.kvHeads, c.dim, pass)
		}
		r.products(name("forward"), work, func() { r.Attention(x[3], lse, x[0], x[1], x[2], s) })
		r.products(name("backward"), 2.5*work, func() {
			r.AttentionGrad(x[5], x[6], x[7], x[4], x[3], lse, x[0], x[1], x[2], s)
		})
		r.release()
	}
}

// BenchmarkHead is the head with cross-entropy and its gradients, three products of its size, in TFLOP/s.
func BenchmarkHead(b *testing.B) {
	r := newBenchRig(b)
	for _, c := range []struct{ vocab, width int }{{50304, 768}, {128256, 4096}} {
		tokens := r.size(8192)
		c.vocab, c.width = r.size(c.vocab), r.size(c.width)
		x := r.bf16(tokens*c.width, c.vocab*c.width, tokens*c.width)
		f := func(n int) accelerators.Buffer { return r.alloc(accelerators.F32, n) }
		nll, dweight, logits := f(tokens), f(c.vocab*c.width), f(c.vocab*r.size(2048))
		dnll := r.random(accelerators.F32, tokens)
		targets := r.integers(make([]int32, tokens)...)
		s := accelerators.Head{Tokens: tokens, Width: c.width, Vocab: c.vocab, Compute: accelerators.BF16}
		work := 6 * float64(tokens) * float64(c.width) * float64(c.vocab)
		r.products(fmt.Sprintf("V=%d-C=%d", c.vocab, c.width), work, func() {
			r.HeadLearn(nll, x[2], dweight, dnll, x[0], x[1], targets, logits, s)
		})
		r.release()
	}
}

// BenchmarkCrossEntropy is the head without its products: logits in f32 read, their gradients in bf16 written.
func BenchmarkCrossEntropy(b *testing.B) {
	r := newBenchRig(b)
	for _, vocab := range []int{50304, 128256} {
		vocab, rows := r.size(vocab), r.size(2048)
		logits := r.random(accelerators.F32, rows*vocab)
		nll, dnll := r.alloc(accelerators.F32, rows), r.random(accelerators.F32, rows)
		targets := r.integers(make([]int32, rows)...)
		at := func(x accelerators.Buffer) uint64 { return uint64(x.Mem.(*memory).at) }
		h := head{Head: accelerators.Head{Vocab: vocab}, dev: r.Device.(*Device), targets: at(targets),
			logits: at(logits), rows: rows}
		r.bandwidth(fmt.Sprintf("V=%d", vocab), 6*rows*vocab, func() { h.launch("head_learn_bf16", at(nll), at(dnll)) })
		r.release()
	}
}

func BenchmarkAdamW(b *testing.B) {
	r := newBenchRig(b)
	n := r.size(1<<17) * 1024
	f := func() accelerators.Buffer { return r.random(accelerators.F32, n) }
	param, grad, m, v := f(), f(), f(), r.alloc(accelerators.F32, n)
	s := accelerators.AdamW{LR: 1e-4, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Step: 1}
	r.bandwidth("f32", 28*n, func() { r.AdamW(param, grad, m, v, s) })
}

// BenchmarkDecode measures the bytes of keys and values that pass.
func BenchmarkDecode(b *testing.B) {
	r := newBenchRig(b)
	for _, sequences := range []int{1, 64} {
		const heads, kvHeads, dim, page = 32, 8, 128, 64
		length := r.size(4096)
		s := accelerators.AttentionDecode{Queries: sequences, Heads: heads, KVHeads: kvHeads, HeadDim: dim,
			Pages: sequences * length / page, PageSize: page, Sequences: sequences, Columns: length / page, Scale: 0.1}
		table, owners, lengths := make([]int32, s.Pages), make([]int32, sequences), make([]int32, sequences)
		for i := range table {
			table[i] = int32(i)
		}
		for i := range owners {
			owners[i], lengths[i] = int32(i), int32(length)
		}
		s.Table, s.Owners, s.Lengths = r.integers(table...), r.integers(owners...), r.integers(lengths...)
		cache := 2 * sequences * length * kvHeads * dim
		x := r.bf16(sequences*heads*dim, sequences*heads*dim, cache)
		r.bandwidth(fmt.Sprintf("sequences=%d", sequences), 2*cache, func() { r.AttentionDecode(x[0], x[1], x[2], s) })
		r.release()
	}
}
