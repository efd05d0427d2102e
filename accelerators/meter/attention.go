package meter

import "github.com/carebot-llm/carebot/accelerators"

// maskForms are the words on an attention: whether its products are rounded, it is causal, and it has a window.
var maskForms = [2][2][2]string{{{"full", "full window"}, {"causal", "causal window"}},
	{{"full bf16", "full window bf16"}, {"causal bf16", "causal window bf16"}}}

// Attention is measured: two products for each query and the keys that it sees.
func (d *Device) Attention(out, lse, q, k, v accelerators.Buffer, s accelerators.Attention) {
	pairs := d.pairs(s)
	start := d.Elapsed()
	d.Device.Attention(out, lse, q, k, v, s)
	d.note("Attention", start, attentionWork(s, pairs, 2, part(q, attended(s))))
}

// AttentionGrad is measured: the scores again, and four products for the gradients.
func (d *Device) AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v accelerators.Buffer, s accelerators.Attention) {
	pairs := d.pairs(s)
	start := d.Elapsed()
	d.Device.AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v, s)
	d.note("AttentionGrad", start, attentionWork(s, pairs, 5, 2*part(q, attended(s))))
}

// AttentionDecode is measured: two products for each query and the positions that it sees.
func (d *Device) AttentionDecode(out, q, cache accelerators.Buffer, s accelerators.AttentionDecode) {
	seen := 0
	for _, n := range d.peek(s.Lengths, s.Queries) {
		if s.Window > 0 {
			n = min(n, int32(s.Window))
		}
		seen += int(n)
	}
	start := d.Elapsed()
	d.Device.AttentionDecode(out, q, cache, s)
	d.note("AttentionDecode", start, work{
		flops: 4 * float64(seen) * float64(s.Heads*s.HeadDim),
		bytes: part(q, 2*s.Queries*s.Heads*s.HeadDim) + part(cache, 2*seen*s.KVHeads*s.HeadDim) +
			floats(2*s.Queries+s.Sequences*s.Columns),
		shape: shape{dims: [4]int{s.Queries, s.Heads, s.KVHeads, s.HeadDim}},
	})
}

// attended is how many elements of activations attention moves: q and out, k and v.
func attended(s accelerators.Attention) int {
	return s.Tokens * (2*s.Heads*s.HeadDim + 2*s.KVHeads*s.HeadDim)
}

// attentionWork is that of so many products, and the bytes of activations and of lse.
func attentionWork(s accelerators.Attention, pairs float64, products int, activations float64) work {
	form := maskForms[index(s.Compute == accelerators.BF16)][index(s.Causal)][index(s.Window > 0)]
	return work{
		flops: 2 * float64(products) * pairs * float64(s.Heads*s.HeadDim),
		bytes: activations + floats(s.Tokens*s.Heads), compute: s.Compute,
		shape: shape{[4]int{s.Tokens, s.Heads, s.KVHeads, s.HeadDim}, form},
	}
}

// pairs is how many pairs of a query and a key the mask lets through, in all sequences.
func (d *Device) pairs(s accelerators.Attention) float64 {
	offsets := d.peek(s.Offsets, s.Sequences+1)
	n := 0.0
	for i := 1; i < len(offsets); i++ {
		n += visible(float64(offsets[i]-offsets[i-1]), float64(s.Window), s.Causal)
	}
	return n
}

// visible is how many pairs a sequence of n tokens has: all, less those ahead when causal, less those behind the window
// when there is one.
func visible(n, window float64, causal bool) float64 {
	pairs := n * n
	if causal {
		pairs -= n * (n - 1) / 2
	}
	if window > 0 && window < n {
		pairs -= (n - window) * (n - window + 1) / 2
	}
	return pairs
}
