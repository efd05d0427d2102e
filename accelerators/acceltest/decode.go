package acceltest

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

func testAttentionDecode(r *rig) {
	testEmptyCaches(r)
	for _, s := range []accelerators.AttentionDecode{
		{Sequences: 1, Heads: 1, KVHeads: 1, HeadDim: 1, Capacity: 1},
		{Sequences: 3, Heads: 4, KVHeads: 2, HeadDim: 17, Capacity: 9},
		{Sequences: 5, Heads: 6, KVHeads: 1, HeadDim: 64, Capacity: 70, Window: 13},
		{Sequences: 0, Heads: 2, KVHeads: 1, HeadDim: 8, Capacity: 5},
		{Sequences: 2, Heads: 4, KVHeads: 4, HeadDim: 80, Capacity: 600},
		{Sequences: 3, Heads: 7, KVHeads: 1, HeadDim: 128, Capacity: 300, Window: 257},
		{Sequences: 3, Heads: 4, KVHeads: 2, HeadDim: 24, Capacity: 140, Cap: 1.5},
	} {
		s.Scale = float32(1 / math.Sqrt(float64(s.HeadDim)))
		lengths := r.indices(s.Sequences, s.Capacity) // from 0; one more is the length
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
			StrideK: stride, StrideV: stride, Window: s.Window, Causal: true, Scale: s.Scale, Cap: s.Cap},
			k: k[at:], v: v[at:]}
		p.q = make([]float64, int(length)*s.Heads*s.HeadDim)
		p.StrideQ = s.Heads * s.HeadDim
		copy(p.q[(int(length)-1)*p.StrideQ:], q[n*p.StrideQ:(n+1)*p.StrideQ])
		for h := range s.Heads {
			p.attend(out[n*p.StrideQ+h*s.HeadDim:][:s.HeadDim], int(length)-1, h, 0, int(length))
		}
	}
	return out
}

// testEmptyCaches: a sequence without positions gets zeros, whatever the others have and the cache holds.
func testEmptyCaches(r *rig) {
	s := accelerators.AttentionDecode{Sequences: 3, Heads: 2, KVHeads: 1, HeadDim: 3, Capacity: 4, Scale: 1}
	cache := make([]float64, s.Sequences*s.Capacity*s.HeadDim)
	for i := range cache {
		cache[i] = math.NaN()
	}
	for i := range s.HeadDim {
		cache[s.Capacity*s.HeadDim+i] = 2 // the only position of sequence 1
	}
	out := r.output(s.Sequences * s.Heads * s.HeadDim)
	lengths := r.uploadInts([]int32{0, 1, 0})
	r.dev.AttentionDecode(out, r.upload(r.normal(out.Len)), r.upload(cache), r.upload(cache), lengths, s)
	r.expect("out", out, []float64{0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0}, elementwise)
	r.reset()
}
