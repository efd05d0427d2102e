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
		Sequences: len(lengths), Scale: float32(1 / math.Sqrt(float64(dim))), Compute: r.held}
	for _, n := range lengths {
		p.MaxLen = max(p.MaxLen, n)
	}
	p.q = r.normal(max(0, (tokens-1)*p.StrideQ+heads*dim))
	p.k = r.normal(max(0, (tokens-1)*p.StrideK+kvHeads*dim))
	p.v = r.normal(max(0, (tokens-1)*p.StrideV+kvHeads*dim))
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
		w := math.Exp(capped(float64(p.Scale)*dot(q, p.k[key*p.StrideK+g*p.HeadDim:]), p.Cap))
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

// capped is x bent to a limit, where there is one.
func capped(x float64, limit float32) float64 {
	if limit == 0 {
		return x
	}
	return float64(limit) * math.Tanh(x/float64(limit))
}

// onDevice is the operands of a packing on a device.
type onDevice struct {
	accelerators.Attention
	q, k, v, out, lse accelerators.Buffer
}

func (p *packing) upload(r *rig) onDevice {
	p.Offsets = r.uploadInts(p.offsets)
	return onDevice{p.Attention, r.activations(p.q), r.activations(p.k), r.activations(p.v),
		r.result(p.Tokens * p.Heads * p.HeadDim), r.output(p.Tokens * p.Heads)}
}

// masks are the four shapes of a mask.
func masks(window int) []accelerators.Attention {
	return []accelerators.Attention{{Causal: true}, {}, {Causal: true, Window: window}, {Window: window}}
}

// forms are the masks, each with products of operands as they are, where activations are F32, and with rounded ones.
func (r *rig) forms(window int) (all []accelerators.Attention) {
	if r.held == accelerators.F32 {
		all = masks(window)
	}
	for _, s := range masks(window) {
		s.Compute = accelerators.BF16
		all = append(all, s)
	}
	return all
}

func formName(s accelerators.Attention) string {
	return fmt.Sprintf("causal=%v/window=%d/%v", s.Causal, s.Window, s.Compute)
}

// take is the packing in the form of s. Where products round, the operands are numbers that rounding leaves alone.
func (p *packing) take(s accelerators.Attention) {
	p.Causal, p.Window, p.Compute = s.Causal, s.Window, s.Compute
	p.q, p.k, p.v = p.operand(p.q), p.operand(p.k), p.operand(p.v)
}

func (p *packing) operand(x []float64) []float64 {
	if p.Compute == accelerators.BF16 {
		return allToBF16(x)
	}
	return x
}

// roundedBefore is how far results of rounded products may be from exact ones: weights and gradients are rounded too.
const roundedBefore = 2e-2

func (p *packing) tolerance(exact float64) float64 {
	if p.Compute == accelerators.BF16 {
		return roundedBefore
	}
	return exact
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
	{[]int{5, 590}, 2, 1, 65, 0, 100},
	{[]int{0, 9, 0}, 6, 2, 16, 0, 4},
	{[]int{0, 0}, 2, 1, 8, 0, 1},
	{[]int{}, 1, 1, 4, 0, 1},
	{[]int{1, 200}, 4, 1, 8, 0, 96},
	{[]int{97, 1, 193}, 4, 4, 80, 1, 7},
	{[]int{205}, 2, 1, 128, 0, 100},
	{[]int{800}, 1, 1, 3, 0, 300},
}

func testAttention(r *rig) {
	for _, c := range attentionCases {
		for _, form := range r.forms(c.window) {
			r.run(fmt.Sprintf("%v/heads=%d,%d/dim=%d/%s", c.lengths, c.heads, c.kvHeads, c.dim, formName(form)), func(r *rig) {
				p := newPacking(r, c.lengths, c.heads, c.kvHeads, c.dim, c.slack)
				p.take(form)
				d := p.upload(r)
				r.dev.Attention(d.out, d.lse, d.q, d.k, d.v, d.Attention)
				out, lse := p.forward()
				r.expect("out", d.out, out, p.tolerance(reduced))
				r.expect("lse", d.lse, lse, reduced)
				r.reset()
			})
		}
	}
}

// testAttentionCapped: scores that are bent to a limit, in one block of keys and in several.
func testAttentionCapped(r *rig) {
	for _, form := range r.forms(30) {
		p := newPacking(r, []int{3, 1, 150}, 4, 2, 17, 1)
		p.take(form)
		p.Cap = 1.5
		p.Scale *= 3
		d := p.upload(r)
		r.dev.Attention(d.out, d.lse, d.q, d.k, d.v, d.Attention)
		out, lse := p.forward()
		r.expect("out", d.out, out, p.tolerance(reduced))
		r.expect("lse", d.lse, lse, reduced)
		attentionGradCase(r, p)
		r.reset()
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
		r.compare(fmt.Sprintf("out of query %d", t), out[t*p.HeadDim:(t+1)*p.HeadDim], want, p.tolerance(reduced))
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
	{[]int{50}, 2, 1, 17, 4, 20},
	{[]int{30}, 1, 1, 65, 0, 20},
	{[]int{8}, 3, 3, 128, 0, 3},
}

// attentionRangeCases are too large for a difference for each element.
var attentionRangeCases = []struct {
	lengths             []int
	heads, kvHeads, dim int
	slack, window       int
}{
	{[]int{1, 400, 0, 30}, 4, 2, 5, 1, 150},
	{[]int{200}, 2, 2, 80, 0, 64},
	{[]int{650}, 1, 1, 3, 0, 20},
}

func testAttentionGrad(r *rig) {
	for _, c := range attentionGradCases {
		for _, form := range r.forms(c.window) {
			r.run(fmt.Sprintf("%v/heads=%d,%d/dim=%d/%s", c.lengths, c.heads, c.kvHeads, c.dim, formName(form)), func(r *rig) {
				p := newPacking(r, c.lengths, c.heads, c.kvHeads, c.dim, c.slack)
				p.take(form)
				attentionGradCase(r, p)
			})
		}
	}
}

// run computes the output and then the gradients, which lie between elements that must stay as they are.
func (d *onDevice) run(r *rig, p *packing, dout []float64) (dq, dk, dv accelerators.Buffer) {
	zero := func(n int) accelerators.Buffer { return r.activations(make([]float64, n)) }
	dq, dk, dv = zero(len(p.q)), zero(len(p.k)), zero(len(p.v))
	r.poison(dq, p.StrideQ, p.Heads*p.HeadDim)
	r.poison(dk, p.StrideK, p.KVHeads*p.HeadDim)
	r.poison(dv, p.StrideV, p.KVHeads*p.HeadDim)
	r.dev.Attention(d.out, d.lse, d.q, d.k, d.v, d.Attention)
	r.dev.AttentionGrad(dq, dk, dv, r.activations(dout), d.out, d.lse, d.q, d.k, d.v, d.Attention)
	return dq, dk, dv
}

func attentionGradCase(r *rig, p *packing) {
	d := p.upload(r)
	dout := p.operand(r.normal(p.Tokens * p.Heads * p.HeadDim))
	dq, dk, dv := d.run(r, p, dout)
	loss := func() float64 { out, _ := p.forward(); return dot(out, dout) }
	r.gradient("dq", dq, nil, p.q, p.tolerance(summed), loss)
	r.gradient("dk", dk, nil, p.k, p.tolerance(summed), loss)
	r.gradient("dv", dv, nil, p.v, p.tolerance(summed), loss)
}

// testAttentionGradRanges compares the gradients of sequences that a device may cut into ranges with the difference
// along a random direction.
func testAttentionGradRanges(r *rig) {
	for _, c := range attentionRangeCases {
		for _, form := range r.forms(c.window) {
			r.run(fmt.Sprintf("%v/heads=%d,%d/dim=%d/%s", c.lengths, c.heads, c.kvHeads, c.dim, formName(form)), func(r *rig) {
				p := newPacking(r, c.lengths, c.heads, c.kvHeads, c.dim, c.slack)
				p.take(form)
				d := p.upload(r)
				dout := p.operand(r.normal(d.out.Len))
				dq, dk, dv := d.run(r, p, dout)
				loss := func() float64 { out, _ := p.forward(); return dot(out, dout) }
				got, want, size := r.along([]accelerators.Buffer{dq, dk, dv}, [][]float64{p.q, p.k, p.v}, loss)
				if p.Compute == accelerators.F32 {
					size = 1 // exact products need no measure for the errors of all elements together
				}
				r.compare("the gradients along a direction", []float32{float32(got / size)}, []float64{want / size},
					p.tolerance(summed))
			})
		}
	}
}

// along is the product of gradients and a random direction, the difference of the loss along it, and the root of the
// sum of the squares of what the product sums.
func (r *rig) along(gradients []accelerators.Buffer, operands [][]float64, loss func() float64) (got, want,
	size float64) {
	r.t.Helper()
	var before, direction [][]float64
	for i, x := range operands {
		before, direction = append(before, slices.Clone(x)), append(direction, r.normal(len(x)))
		for j, v := range r.download(gradients[i]) {
			got += float64(v) * direction[i][j]
			size += math.Pow(float64(v)*direction[i][j], 2)
		}
	}
	moved := func(step float64) float64 {
		for i, x := range operands {
			for j := range x {
				x[j] = before[i][j] + step*direction[i][j]
			}
		}
		return loss()
	}
	want = (moved(differenceStep) - moved(-differenceStep)) / (2 * differenceStep)
	return got, want, math.Sqrt(size)
}

// poison fills the first width elements of each row with NaN; what lies between rows must stay as it is.
func (r *rig) poison(b accelerators.Buffer, stride, width int) {
	for at := 0; at+width <= b.Len; at += stride {
		r.dev.Fill(b.Slice(at, width), float32(math.NaN()))
	}
}
