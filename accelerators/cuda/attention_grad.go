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
	rows := g.rowsWithin(g.queryBytes)
	exact := rows == 0 || g.keyBytes() > g.d.mostShared
	n := g.Tokens * g.Heads
	g.means = g.d.scratch(slotMeans, n*accelerators.F32.Size())
	g.d.launch("attention_grad", "attention_means_"+g.kind.String(), covering(32*n), g.means, g.out, g.dout, uint64(n),
		uint64(g.HeadDim), flag(!exact))
	if exact {
		g.launch("attention_exact", "attention_keys_exact_"+g.kind.String(), g.exactly(g.KVHeads), g.dk, g.dv)
		g.launch("attention_exact", "attention_queries_exact_"+g.kind.String(), g.exactly(g.Heads), g.dq)
		return
	}
	over := g.over(g.keyRows(), g.KVHeads)
	over.Z, over.Shared = blocks(g.columns(), 128), g.keyBytes() // registers hold the sums of 128 columns
	g.launch("attention_grad", g.instance("attention_keys", g.keyRows()), over, g.dk, g.dv)
	over = g.over(rows, g.Heads)
	over.Shared = g.queryBytes(rows)
	g.launch("attention_grad", g.instance("attention_queries", rows), over, g.dq)
}

func (g *attentionGrad) launch(family, kernel string, s shape, outputs ...uint64) {
	g.d.launch(family, kernel, s, g.arguments(append(outputs, g.q, g.k, g.v, g.dout, g.lse, g.means)...)...)
}

// keyRows is how many keys a block has.
func (g *attentionGrad) keyRows() int {
	if g.kind == accelerators.BF16 && g.columns() == 64 {
		return 128
	}
	return 64
}

// keyBytes is the shared memory for keys, values, queries and output gradients, lse and mean of each query. Queries
// stream by so that a block's scores are 64 x 64 or 128 x 32; of the widest heads 64 x 32, so that two blocks fit on a
// multiprocessor.
func (g *attentionGrad) keyBytes() int {
	queries := 64 * 64 / g.keyRows()
	if g.columns() == mostHeadDim {
		queries = 32
	}
	return 2*(g.keyRows()+queries)*g.rowBytes() + 2*queries*accelerators.F32.Size()
}

// queryBytes is the shared memory for queries and output gradients, two pairs of 32 keys and values, and lse and mean of
// each query.
func (g *attentionGrad) queryBytes(rows int) int {
	return (2*rows+4*32)*g.rowBytes() + 2*rows*accelerators.F32.Size()
}
