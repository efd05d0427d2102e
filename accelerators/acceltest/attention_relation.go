package acceltest

import (
	"fmt"
	"math"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

// attend uploads a packing and returns its output.
func (r *rig) attend(p *packing) []float32 {
	r.t.Helper()
	d := p.upload(r)
	r.dev.Attention(d.out, d.lse, d.q, d.k, d.v, d.Attention)
	return r.download(d.out)
}

// testAttentionPacked: sequences packed together give the bits of each alone.
func testAttentionPacked(r *rig) {
	lengths := []int{17, 1, 65, 2, 400}
	all := newPacking(r, lengths, 2, 1, 17, 0)
	for _, form := range r.forms(50) {
		all.take(form)
		packed, at := r.attend(all), 0
		for _, n := range lengths {
			one := all.part(r, at, n)
			if part := packed[at*34:][:n*34]; !slices.Equal(r.attend(one), part) {
				r.t.Errorf("%s: the sequence of %d tokens from %d on differs from itself alone", formName(form), n, at)
			}
			at += n
		}
		r.reset()
	}
}

// part is the tokens [from, from+n) of a packing as one sequence.
func (p *packing) part(r *rig, from, n int) *packing {
	one := newPacking(r, []int{n}, p.Heads, p.KVHeads, p.HeadDim, 0)
	one.Causal, one.Window, one.Compute = p.Causal, p.Window, p.Compute
	copy(one.q, p.q[from*p.StrideQ:])
	copy(one.k, p.k[from*p.StrideK:])
	copy(one.v, p.v[from*p.StrideV:])
	return one
}

// testAttentionPrefix: with causal attention, what follows a token does not change its output.
func testAttentionPrefix(r *rig) {
	all := newPacking(r, []int{830}, 2, 2, 24, 0)
	all.Causal = true
	whole := r.attend(all)
	for _, n := range []int{1, 5, 64, 193, 769} {
		prefix := r.attend(all.part(r, 0, n))
		want := make([]float64, len(prefix))
		for i := range want {
			want[i] = float64(whole[i])
		}
		r.compare(fmt.Sprintf("out of the first %d tokens", n), prefix, want, all.tolerance(reduced))
	}
	r.reset()
}

// testAttentionWideWindow: a window that no sequence fills changes nothing.
func testAttentionWideWindow(r *rig) {
	p := newPacking(r, []int{70, 210}, 2, 1, 8, 0)
	for _, causal := range []bool{true, false} {
		p.Causal, p.Window = causal, 0
		want := r.attend(p)
		for _, window := range []int{210, 1000} {
			p.Window = window
			if !slices.Equal(r.attend(p), want) {
				r.t.Errorf("causal=%v: a window of %d differs from none", causal, window)
			}
		}
		r.reset()
	}
}

// testAttentionEqualValues: where the values of all keys are equal, weights make no difference, and queries and keys have no
// gradient. Gradients of weights and their mean cancel each other only when both are of the same rounded operands.
func testAttentionEqualValues(r *rig) {
	for _, compute := range []accelerators.DType{r.held, accelerators.BF16} {
		p := newPacking(r, []int{64}, 2, 1, 24, 0)
		p.Compute = compute
		clear(p.q) // weights are 1/64, which nothing rounds
		for t := range p.Tokens {
			copy(p.v[t*p.StrideV:][:p.HeadDim], p.v[:p.HeadDim])
		}
		results := p.results(r, r.normal(p.Tokens*p.Heads*p.HeadDim))
		for i, x := range results[1:3] {
			for at, v := range x {
				if math.Abs(float64(v)) > 1e-5 {
					r.t.Fatalf("compute %v: gradient %d of %s is %v", compute, at, [2]string{"q", "k"}[i], v)
				}
			}
		}
	}
}

// testAttentionContains: infinities and NaN in the operands of one token reach only what depends on them.
func testAttentionContains(r *rig) {
	const token = 60
	bad := []float64{math.NaN(), math.Inf(1), math.Inf(-1)}
	for i, form := range r.forms(9) {
		p := newPacking(r, []int{40, 45, 10}, 2, 1, 5, 0)
		p.take(form)
		dout := r.normal(p.Tokens * p.Heads * p.HeadDim)
		clean := p.results(r, dout)
		for name, x := range map[string][]float64{"q": p.q, "k": p.k, "v": p.v, "dout": dout} {
			at := token * len(x) / p.Tokens
			kept := x[at]
			x[at] = bad[i%len(bad)]
			p.checkContained(r, fmt.Sprintf("%s, %v in %s", formName(form), x[at], name), name, clean, p.results(r, dout))
			x[at] = kept
		}
	}
}

// results is out, dq, dk and dv.
func (p *packing) results(r *rig, dout []float64) [4][]float32 {
	d := p.upload(r)
	dq, dk, dv := d.run(r, p, dout)
	all := [4][]float32{r.download(d.out), r.download(dq), r.download(dk), r.download(dv)}
	r.reset()
	return all
}

// checkContained compares all rows that do not depend on the bad token.
func (p *packing) checkContained(r *rig, what, operand string, clean, got [4][]float32) {
	r.t.Helper()
	queries, keys := p.reached(operand)
	for i, reached := range [][]bool{queries, queries, keys, keys} {
		width := len(got[i]) / p.Tokens
		for t := range p.Tokens {
			if i == 0 && operand == "dout" || !reached[t] {
				if x := got[i][t*width:][:width]; !slices.Equal(x, clean[i][t*width:][:width]) {
					r.t.Errorf("%s: row %d of result %d changed", what, t, i)
				}
			}
		}
	}
}

// reached is the queries that depend on token 60 of an operand, and the keys that depend on these.
func (p *packing) reached(operand string) (queries, keys []bool) {
	const token, first, end = 60, 40, 85
	queries, keys = make([]bool, p.Tokens), make([]bool, p.Tokens)
	for t := first; t < end; t++ {
		queries[t] = t == token
		if operand == "k" || operand == "v" {
			queries[t] = p.sees(t-first, token-first)
		}
		for key := first; key < end && queries[t]; key++ {
			keys[key] = keys[key] || p.sees(t-first, key-first)
		}
	}
	return queries, keys
}

// attentionMistakes are operations on sequences that do not fit the operands.
func attentionMistakes(r *rig) map[string]func() {
	run := func(change func(*accelerators.Attention)) func() {
		return func() {
			p := newPacking(r, []int{3, 2}, 2, 1, 4, 0)
			d := p.upload(r)
			change(&d.Attention)
			r.dev.Attention(d.out, d.lse, d.q, d.k, d.v, d.Attention)
		}
	}
	return map[string]func(){
		"MaxLen too small":    run(func(s *accelerators.Attention) { s.MaxLen = 2 }),
		"Tokens too many":     run(func(s *accelerators.Attention) { s.Tokens = 6 }),
		"Sequences too many":  run(func(s *accelerators.Attention) { s.Sequences = 4 }),
		"stride too small":    run(func(s *accelerators.Attention) { s.StrideV = 3 }),
		"negative window":     run(func(s *accelerators.Attention) { s.Window = -1 }),
		"heads do not divide": run(func(s *accelerators.Attention) { s.KVHeads = 3 }),
		"first offset": run(func(s *accelerators.Attention) {
			s.Offsets = r.uploadInts([]int32{1, 3, 5})
		}),
	}
}

// testAttentionMistakes: each is an error that names the operation.
func testAttentionMistakes(r *rig) {
	for name, mistake := range attentionMistakes(r) {
		mistake()
		if err := r.dev.Sync(); err == nil {
			r.t.Errorf("%s is no error", name)
		}
	}
	r.owned = nil // the operands that met mistakes are not looked at again
}
