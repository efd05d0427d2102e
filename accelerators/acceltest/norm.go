package acceltest

import (
	"math"
)

// normShapes are rows and width.
var normShapes = [][2]int{{1, 1}, {3, 17}, {17, 3}, {2, 64}, {65, 65}, {300, 8}}

const epsilon = 1e-5

// rmsNorm is the forward in float64: y and rstd.
func rmsNorm(x, w []float64) (y, rstd []float64) {
	width := len(w)
	for t := 0; t < len(x); t += width {
		row := x[t : t+width]
		r := 1 / math.Sqrt(dot(row, row)/float64(width)+epsilon)
		rstd = append(rstd, r)
		for i, v := range row {
			y = append(y, v*r*w[i])
		}
	}
	return y, rstd
}

func testRMSNorm(r *rig) {
	for _, shape := range normShapes {
		rows, width := shape[0], shape[1]
		x, w, dy := r.normal(rows*width), r.normal(width), r.normal(rows*width)
		dx, dw := r.normal(len(x)), r.normal(width)
		xb, wb, yb, sb := r.activations(x), r.upload(w), r.result(len(x)), r.output(rows)
		r.dev.RMSNorm(yb, sb, xb, wb, width, epsilon)
		y, rstd := rmsNorm(x, w)
		r.expect("y", yb, y, reduced)
		r.expect("rstd", sb, rstd, reduced)

		dxb, dwb := r.activations(dx), r.upload(dw)
		r.dev.RMSNormGrad(dxb, dwb, r.activations(dy), xb, wb, sb, width)
		loss := func() float64 { y, _ := rmsNorm(x, w); return dot(y, dy) }
		r.gradient("dx", dxb, dx, x, summed, loss)
		r.gradient("dw", dwb, dw, w, summed, loss)
		r.reset()
	}
}

// layerNorm is the forward in float64.
func layerNorm(x, w, b []float64) (y, mean, rstd []float64) {
	width := len(w)
	for t := 0; t < len(x); t += width {
		sum, squares := 0.0, 0.0
		for _, v := range x[t : t+width] {
			sum += v
		}
		m := sum / float64(width)
		for _, v := range x[t : t+width] {
			squares += (v - m) * (v - m)
		}
		r := 1 / math.Sqrt(squares/float64(width)+epsilon)
		mean, rstd = append(mean, m), append(rstd, r)
		for i, v := range x[t : t+width] {
			y = append(y, (v-m)*r*w[i]+b[i])
		}
	}
	return y, mean, rstd
}

func testLayerNorm(r *rig) {
	for _, shape := range normShapes[1:] { // of one element nothing is left
		rows, width := shape[0], shape[1]
		x, w, b, dy := r.normal(rows*width), r.normal(width), r.normal(width), r.normal(rows*width)
		dx, dw, db := r.normal(len(x)), r.normal(width), r.normal(width)
		xb, wb, yb, mb, sb := r.activations(x), r.upload(w), r.result(len(x)), r.output(rows), r.output(rows)
		r.dev.LayerNorm(yb, mb, sb, xb, wb, r.upload(b), width, epsilon)
		y, mean, rstd := layerNorm(x, w, b)
		r.expect("y", yb, y, reduced)
		r.expect("mean", mb, mean, reduced)
		r.expect("rstd", sb, rstd, reduced)

		dxb, dwb, dbb := r.activations(dx), r.upload(dw), r.upload(db)
		r.dev.LayerNormGrad(dxb, dwb, dbb, r.activations(dy), xb, wb, mb, sb, width)
		loss := func() float64 { y, _, _ := layerNorm(x, w, b); return dot(y, dy) }
		r.gradient("dx", dxb, dx, x, summed, loss)
		r.gradient("dw", dwb, dw, w, summed, loss)
		r.gradient("db", dbb, db, b, summed, loss)
		r.reset()
	}
}
