package acceltest

import (
	"github.com/carebot-llm/carebot/accelerators"
)

func testEmbed(r *rig) { testRows(r, r.dev.Embed, r.dev.EmbedGrad) }

func testGather(r *rig) { testRows(r, r.dev.Gather, r.dev.GatherGrad) }

type rowOp func(x, y, ids accelerators.Buffer, width int)

func testRows(r *rig, gather, scatter rowOp) {
	for _, shape := range [][3]int{{1, 1, 1}, {3, 17, 5}, {65, 64, 3}, {300, 65, 17}, {2, 200, 9}} {
		n, width, rows := shape[0], shape[1], shape[2]
		table, dout, ids := r.normal(rows*width), r.normal(n*width), r.indices(n, rows)
		at := r.uploadInts(ids)
		out, dtable := r.output(n*width), r.upload(table)
		gather(out, dtable, at, width)
		scatter(dtable, r.upload(dout), at, width)
		picked, sums := make([]float64, 0, n*width), append([]float64(nil), table...)
		for i, id := range ids {
			picked = append(picked, table[int(id)*width:][:width]...)
			for j := range width {
				sums[int(id)*width+j] += dout[i*width+j]
			}
		}
		r.expect("rows", out, picked, exactly)
		r.expect("gradient", dtable, sums, reduced)
		r.reset()
	}
	gather(r.output(0), r.upload(r.normal(6)), r.uploadInts(nil), 3)
	r.reset()
}
