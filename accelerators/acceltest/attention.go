package acceltest

import (
	"fmt"
	"math"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

// A packing is an attention operation with its operands in float64.
type packing struct {
	accelerators.Attention
	offsets []int32
	q, k, v []float64
}

// newPacking draws operands for sequences of the given lengths. Rows of q, k and v are as wide as needed, plus slack.
func newPacking(r *rig, lengths []int, heads, kvHeads, dim, slack int) *packing {
	p := &packing{offsets: []int32{0}}
	for _, n := range lengths {
		p.offsets = append(p.offsets, p.offsets[len(p.offsets)-1]+int32(n))
	}
	tokens := int(p.offsets[len(lengths)])
	p.Attention = accelerators.Attention{Tokens: tokens, Heads: heads, KVHeads: kvHeads, HeadDim: dim,
		StrideQ: heads*dim + slack, StrideK: kvHeads*dim + 2*slack, StrideV: kvHeads*dim + slack,
		Sequences: len(lengths), MaxLen: slices.Max(lengths), Scale: float32(1 / math.Sqrt(float64(dim)))}
	p.q = r.normal((tokens-1)*p.StrideQ + heads*dim)
	p.k = r.normal((tokens-1)*p.StrideK + kvHeads*dim)
	p.v = r.normal((tokens-1)*p.StrideV + kvHeads*dim)
	return p
}

func (p *packing) sees(query, key int) bool {
	return (!p.Causal || key <= query) && (p.Window == 0 || query-key < p.Window)
}

// forward is out and lse, by the definition.
func (p *packing) forward() (out, lse []float64) {
	out = make([]float64, p.Tokens*p.Heads*p.HeadDim)
	lse = make([]float64, p.Tokens*p.Heads)
	for s := range p.Sequences {
		first, end := int(p.offsets[s]), int(p.offsets[s+1])
		for t := first; t < end; t++ {
			for h := range p.Heads {
				at := (t*p.Heads + h) * p.HeadDim
				lse[t*p.Heads+h] = p.attend(out[at:at+p.HeadDim], t, h, first, end)
			}
		}
	}
	return out, lse
}

func (p *packing) attend(out []float64, t, h, first, end int) (lse float64) {
	g := h / (p.Heads / p.KVHeads)
	q := p.q[t*p.StrideQ+h*p.HeadDim:][:p.HeadDim]
	sum := 0.0
	for key := first; key < end; key++ {
		if !p.sees(t-first, key-first) {
			continue
		}
		w := math.Exp(float64(p.Scale) * dot(q, p.k[key*p.StrideK+g*p.HeadDim:]))
		sum += w
		for i := range out {
			out[i] += w * p.v[key*p.StrideV+g*p.HeadDim+i]
		}
	}
	for i := range out {
		out[i] /= sum
	}
	return math.Log(sum)
}

// onDevice is the operands of a packing on a device.
type onDevice struct {
	accelerators.Attention
	q, k, v, out, lse accelerators.Buffer
}

func (p *packing) upload(r *rig) onDevice {
	p.Offsets = r.uploadInts(p.offsets)
	return onDevice{p.Attention, r.upload(p.q), r.upload(p.k), r.upload(p.v),
		r.output(p.Tokens * p.Heads * p.HeadDim), r.output(p.Tokens * p.Heads)}
}

// masks are the four shapes of a mask.
func masks(window int) []accelerators.Attention {
	return []accelerators.Attention{{Causal: true}, {}, {Causal: true, Window: window}, {Window: window}}
}

func maskName(s accelerators.Attention) string {
	return fmt.Sprintf("causal=%v/window=%d", s.Causal, s.Window)
}

var attentionCases = []struct {
	lengths                    []int
	heads, kvHeads, dim, slack int
	window                     int
}{
	{[]int{1}, 1, 1, 1, 0, 1},
	{[]int{3, 1, 17}, 2, 1, 5, 3, 2},
	{[]int{65, 1, 1, 64}, 4, 2, 17, 0, 30},
	{[]int{130}, 3, 3, 64, 8, 65},
	{[]int{5, 700}, 2, 1, 65, 0, 100},
	{[]int{0, 9, 0}, 6, 2, 16, 0, 4},
}

func testAttention(r *rig) {
	for _, c := range attentionCases {
		for _, mask := range masks(c.window) {
			r.run(fmt.Sprintf("%v/heads=%d,%d/dim=%d/%s", c.lengths, c.heads, c.kvHeads, c.dim, maskName(mask)), func(r *rig) {
				p := newPacking(r, c.lengths, c.heads, c.kvHeads, c.dim, c.slack)
				p.Causal, p.Window = mask.Causal, mask.Window
				d := p.upload(r)
				r.dev.Attention(d.out, d.lse, d.q, d.k, d.v, d.Attention)
				out, lse := p.forward()
				r.expect("out", d.out, out, reduced)
				r.expect("lse", d.lse, lse, reduced)
				r.reset()
			})
		}
	}
}

// testAttentionLong: a sequence longer than any sum that a kernel makes in one go; a sample of its queries is
// compared.
func testAttentionLong(r *rig) {
	const length = 4300
	p := newPacking(r, []int{length}, 1, 1, 3, 0)
	d := p.upload(r)
	r.dev.Attention(d.out, d.lse, d.q, d.k, d.v, d.Attention)
	out := r.download(d.out)
	for _, t := range r.some(length) {
		want := make([]float64, p.HeadDim)
		p.attend(want, t, 0, 0, length)
		r.compare(fmt.Sprintf("out of query %d", t), out[t*p.HeadDim:(t+1)*p.HeadDim], want, reduced)
	}
}

var attentionGradCases = []struct {
	lengths             []int
	heads, kvHeads, dim int
	slack, window       int
}{
	{[]int{1}, 1, 1, 1, 0, 1},
	{[]int{3, 1, 17}, 2, 1, 5, 3, 2},
	{[]int{20, 0, 1, 12}, 4, 2, 3, 0, 7},
	{[]int{110}, 2, 1, 17, 4, 40},
	{[]int{30}, 1, 1, 65, 0, 20},
}

func testAttentionGrad(r *rig) {
	for _, c := range attentionGradCases {
		for _, mask := range masks(c.window) {
			r.run(fmt.Sprintf("%v/heads=%d,%d/dim=%d/%s", c.lengths, c.heads, c.kvHeads, c.dim, maskName(mask)), func(r *rig) {
				p := newPacking(r, c.lengths, c.heads, c.kvHeads, c.dim, c.slack)
				p.Causal, p.Window = mask.Causal, mask.Window
				attentionGradCase(r, p)
			})
		}
	}
}

func attentionGradCase(r *rig, p *packing) {
	d := p.upload(r)
	dout := r.normal(p.Tokens * p.Heads * p.HeadDim)
	zero := func(n int) accelerators.Buffer { return r.upload(make([]float64, n)) }
	dq, dk, dv := zero(len(p.q)), zero(len(p.k)), zero(len(p.v))
	r.poison(dq, p.StrideQ, p.Heads*p.HeadDim)
	r.poison(dk, p.StrideK, p.KVHeads*p.HeadDim)
	r.poison(dv, p.StrideV, p.KVHeads*p.HeadDim)
	r.dev.Attention(d.out, d.lse, d.q, d.k, d.v, d.Attention)
	r.dev.AttentionGrad(dq, dk, dv, r.upload(dout), d.out, d.lse, d.q, d.k, d.v, d.Attention)
	loss := func() float64 { out, _ := p.forward(); return dot(out, dout) }
	r.gradient("dq", dq, nil, p.q, summed, loss)
	r.gradient("dk", dk, nil, p.k, summed, loss)
	r.gradient("dv", dv, nil, p.v, summed, loss)
	r.reset()
}

// poison fills the first width elements of each row with NaN; what lies between rows must stay as it is.
func (r *rig) poison(b accelerators.Buffer, stride, width int) {
	for at := 0; at < b.Len; at += stride {
		r.dev.Fill(b.Slice(at, width), float32(math.NaN()))
	}
}

// testAttentionPacked: sequences packed together give the bits of each alone.
func testAttentionPacked(r *rig) {
	lengths := []int{17, 1, 65, 2}
	all := newPacking(r, lengths, 2, 1, 17, 0)
	all.Causal = true
	d := all.upload(r)
	r.dev.Attention(d.out, d.lse, d.q, d.k, d.v, d.Attention)
	packed := r.download(d.out)
	at := 0
	for _, n := range lengths {
		one := newPacking(r, []int{n}, 2, 1, 17, 0)
		one.Causal = true
		copy(one.q, all.q[at*all.StrideQ:])
		copy(one.k, all.k[at*all.StrideK:])
		copy(one.v, all.v[at*all.StrideV:])
		e := one.upload(r)
		r.dev.Attention(e.out, e.lse, e.q, e.k, e.v, e.Attention)
		alone := r.download(e.out)
		if part := packed[at*34:][:n*34]; !slices.Equal(alone, part) {
			r.t.Errorf("the sequence of %d tokens from %d on differs from itself alone", n, at)
		}
		at += n
	}
	r.reset()
}

func testAttentionDecode(r *rig) {
	for _, s := range []accelerators.AttentionDecode{
		{Sequences: 1, Heads: 1, KVHeads: 1, HeadDim: 1, Capacity: 1},
		{Sequences: 3, Heads: 4, KVHeads: 2, HeadDim: 17, Capacity: 9},
		{Sequences: 5, Heads: 6, KVHeads: 1, HeadDim: 64, Capacity: 70, Window: 13},
	} {
		s.Scale = float32(1 / math.Sqrt(float64(s.HeadDim)))
		lengths := r.indices(s.Sequences, s.Capacity)
		for i := range lengths {
			lengths[i]++
		}
		cache := s.Sequences * s.Capacity * s.KVHeads * s.HeadDim
		q, k, v := r.normal(s.Sequences*s.Heads*s.HeadDim), r.normal(cache), r.normal(cache)
		out := r.output(len(q))
		r.dev.AttentionDecode(out, r.upload(q), r.upload(k), r.upload(v), r.uploadInts(lengths), s)
		r.expect("out", out, decoded(q, k, v, lengths, s), reduced)
		r.reset()
	}
}

// decoded sees each query as the last token of a sequence.
func decoded(q, k, v []float64, lengths []int32, s accelerators.AttentionDecode) []float64 {
	stride := s.KVHeads * s.HeadDim
	out := make([]float64, len(q))
	for n, length := range lengths {
		at := n * s.Capacity * stride
		p := packing{Attention: accelerators.Attention{Heads: s.Heads, KVHeads: s.KVHeads, HeadDim: s.HeadDim,
			StrideK: stride, StrideV: stride, Window: s.Window, Causal: true, Scale: s.Scale}, k: k[at:], v: v[at:]}
		p.q = make([]float64, int(length)*s.Heads*s.HeadDim)
		p.StrideQ = s.Heads * s.HeadDim
		copy(p.q[(int(length)-1)*p.StrideQ:], q[n*p.StrideQ:(n+1)*p.StrideQ])
		for h := range s.Heads {
			p.attend(out[n*p.StrideQ+h*s.HeadDim:][:s.HeadDim], int(length)-1, h, 0, int(length))
		}
	}
	return out
}
