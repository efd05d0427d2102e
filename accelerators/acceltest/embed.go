package acceltest

import (
	"github.com/carebot-llm/carebot/accelerators"
)

func testEmbed(r *rig) {
	testRows(r, r.dev.Embed, r.dev.EmbedGrad, accelerators.F32)
	if r.held == accelerators.BF16 {
		r.run("table of bf16", func(r *rig) {
			table, out := r.normal(3*17), r.result(3*17)
			r.dev.Embed(out, r.activations(table), r.uploadInts([]int32{0, 1, 2}), 17)
			r.expect("rows", out, table, exactly)
		})
	}
}

func testGather(r *rig) { testRows(r, r.dev.Gather, r.dev.GatherGrad, r.held) }

type rowOp func(x, y, ids accelerators.Buffer, width int)

func testRows(r *rig, gather, scatter rowOp, table accelerators.DType) {
	for _, shape := range [][3]int{{1, 1, 1}, {3, 17, 5}, {65, 64, 3}, {300, 65, 17}, {2, 200, 9}} {
		n, width, rows := shape[0], shape[1], shape[2]
		values, dout, ids := r.normal(rows*width), r.normal(n*width), r.indices(n, rows)
		at := r.uploadInts(ids)
		out, dtable := r.result(n*width), r.uploadAs(table, values)
		gather(out, dtable, at, width)
		scatter(dtable, r.activations(dout), at, width)
		picked, sums := make([]float64, 0, n*width), append([]float64(nil), values...)
		for i, id := range ids {
			picked = append(picked, values[int(id)*width:][:width]...)
			for j := range width {
				sums[int(id)*width+j] += dout[i*width+j]
			}
		}
		r.expect("rows", out, picked, exactly)
		r.expect("gradient", dtable, sums, reduced)
		r.reset()
	}
	gather(r.result(0), r.uploadAs(table, r.normal(6)), r.uploadInts(nil), 3)
	r.reset()
}
