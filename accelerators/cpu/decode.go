package cpu

import "github.com/carebot-llm/carebot/accelerators"

// AttentionDecode attends one query of each sequence to the last Window (or all) of its cached positions. A sequence
// of length 0 gets zeros.
func (d *Device) AttentionDecode(out, q, k, v, lengths accelerators.Buffer, s accelerators.AttentionDecode) {
	c := d.call("AttentionDecode")
	c.heads(s.Heads, s.KVHeads, s.HeadDim)
	queries, cached := c.size(s.Sequences, s.Heads, s.HeadDim), c.size(s.Sequences, s.Capacity, s.KVHeads, s.HeadDim)
	t := decode{AttentionDecode: s, set: d.set}
	t.out, t.q = c.f32("out", out, queries), c.f32("q", q, queries)
	t.k, t.v = c.f32("k", k, cached), c.f32("v", v, cached)
	t.lengths = c.ids("lengths", lengths, s.Sequences, 0, s.Capacity+1)
	if !c.ok(s) {
		return
	}
	d.runFunc(s.Sequences*s.KVHeads, func(worker, i int) {
		group := s.Heads / s.KVHeads
		n, g := i/s.KVHeads, i%s.KVHeads
		scores := d.scratch[worker].floats(slotScores, s.Capacity)
		for h := g * group; h < (g+1)*group; h++ {
			t.head(scores, n, g, h)
		}
	})
}

type decode struct {
	accelerators.AttentionDecode
	set          *kernelSet
	out, q, k, v []float32
	lengths      []int32
}

func (t *decode) head(scores []float32, n, kvHead, head int) {
	at := (n*t.Heads + head) * t.HeadDim
	q, out := t.q[at:at+t.HeadDim], t.out[at:at+t.HeadDim]
	clear(out)
	length, first := int(t.lengths[n]), 0
	if t.Window > 0 {
		first = max(0, length-t.Window)
	}
	if length == 0 {
		return
	}
	stride := t.KVHeads * t.HeadDim
	base := n*t.Capacity*stride + kvHead*t.HeadDim
	for j := first; j < length; j++ {
		scores[j] = t.Scale * t.set.dot(q, t.k[base+j*stride:][:t.HeadDim])
	}
	x := scores[first:length]
	sum := t.set.expSum(x, 1, t.set.max(x))
	for j, w := range x {
		t.set.axpy(out, t.v[base+(first+j)*stride:][:t.HeadDim], w)
	}
	t.set.scale(out, 1/sum)
}
