package cpu

import "math"

func softmaxTileGeneric(x []float32, stride, n int, tops, sums []float32) {
	for i := range tileRows {
		row := x[i*stride:][:n]
		for _, v := range row {
			tops[i] = max(tops[i], v)
		}
		sums[i] = expSumGeneric(row, 1, max(tops[i], -math.MaxFloat32))
	}
}

func softmaxGradTileGeneric(p, d []float32, stride, n int, lse, means []float32, scale float32) {
	for i := range tileRows {
		w := p[i*stride:][:n]
		expSumGeneric(w, 1, lse[i])
		softmaxGradGeneric(d[i*stride:][:n], w, means[i], scale)
	}
}

func mixRowsGeneric(out, w, rows []float32, stride int) {
	clear(out)
	for j, v := range w {
		axpyGeneric(out, rows[j*stride:][:len(out)], v)
	}
}
