//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// attentionGrad is the addresses of a gradient's operands.
type attentionGrad struct {
	attention
	dq, dk, dv, dout, out, lse, means uint64
}

// AttentionGrad overwrites dq, dk and dv, which are strided as q, k and v are.
func (d *Device) AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v accelerators.Buffer, s accelerators.Attention) {
	c := d.call("AttentionGrad")
	g := attentionGrad{attention: c.attention(q, k, v, s)}
	queries, keys := c.size(s.Heads, s.HeadDim), c.size(s.KVHeads, s.HeadDim)
	// Rows of dq, dk and dv may lie side by side in one buffer, so that the windows overlap and their elements do not.
	g.dq = c.read("dq", dq, c.span(s.Tokens, s.StrideQ, queries))
	g.dk = c.read("dk", dk, c.span(s.Tokens, s.StrideK, keys))
	g.dv = c.read("dv", dv, c.span(s.Tokens, s.StrideV, keys))
	g.dout = c.read("dout", dout, c.size(s.Tokens, queries))
	g.out = c.read("out", out, c.size(s.Tokens, queries))
	g.lse = c.f32("lse", lse, c.size(s.Tokens, s.Heads))
	if !passed(c, attentionShape(s)) || !g.checkOffsets(c.op) {
		return
	}
	g.kind = c.kind
	g.aligned = g.inChunks(g.q, g.k, g.v, g.dout)
	g.run()
}

func (g *attentionGrad) run() {
	rows, ofKeys := g.rowsWithin(g.queryBytes), g.keyBytes()
	exact := rows == 0 || ofKeys > g.d.mostShared
	n := g.Tokens * g.Heads
	g.means = g.d.scratch(slotMeans, n*accelerators.F32.Size())
	g.d.launch("attention_grad", "attention_means_"+g.kind.String(), covering(32*n), g.means, g.out, g.dout, uint64(n),
		uint64(g.HeadDim), map[bool]uint64{true: 1}[!exact])
	if exact {
		g.launch("attention_exact", "attention_keys_exact_"+g.kind.String(), g.exactly(g.KVHeads), g.dk, g.dv)
		g.launch("attention_exact", "attention_queries_exact_"+g.kind.String(), g.exactly(g.Heads), g.dq)
		return
	}
	over := g.over(attentionKeys, g.KVHeads)
	over.Z, over.Shared = blocks(g.columns(), 128), ofKeys // of 256 columns, a block's registers hold the sums of half
	g.launch("attention_grad", g.instance("attention_keys", attentionKeys), over, g.dk, g.dv)
	over = g.over(rows, g.Heads)
	over.Shared = g.queryBytes(rows)
	g.launch("attention_grad", g.instance("attention_queries", rows), over, g.dq)
}

func (g *attentionGrad) launch(family, kernel string, s shape, outputs ...uint64) {
	g.d.launch(family, kernel, s, g.arguments(append(outputs, g.q, g.k, g.v, g.dout, g.lse, g.means)...)...)
}

// keyBytes is the shared memory for keys, values, queries and output gradients, lse and mean of each query.
func (g *attentionGrad) keyBytes() int { return 4*attentionKeys*g.rowBytes() + 2*attentionKeys*4 }

// queryBytes is the shared memory for queries and output gradients, and two pairs of 32 keys and values.
func (g *attentionGrad) queryBytes(rows int) int { return (2*rows + 4*32) * g.rowBytes() }
