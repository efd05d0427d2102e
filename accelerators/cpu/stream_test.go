package cpu

import (
	"maps"
	"math"
	"slices"
	"testing"
)

func TestStreamingChangesNoBit(t *testing.T) {
	assembly(t, func(t *testing.T, set *kernelSet) {
		plain, streaming := newDevice(1, set), newDevice(1, set)
		plain.streamFrom, streaming.streamFrom = math.MaxInt, 1
		for _, n := range []int{16, 1000, 16016, 40000} {
			want, got := streamed(t, plain, n), streamed(t, streaming, n)
			for _, op := range slices.Sorted(maps.Keys(want)) {
				bits := func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }
				if !slices.EqualFunc(want[op], got[op], bits) {
					t.Errorf("%s of %d gives other bits", op, n)
				}
			}
		}
	})
}

// streamed is what the operations that may stream leave, on operands of n elements.
func streamed(t *testing.T, d *Device, n int) map[string][]float32 {
	t.Helper()
	x, y, wide, out := alloc(t, d, n), alloc(t, d, n), alloc(t, d, 2*n), alloc(t, d, 2*n)
	values := make([]float32, 2*n)
	for i := range values {
		values[i] = float32(i%101)*0.07 - 3
	}
	d.UploadF32(x, values[:n])
	d.UploadF32(y, values[n:])
	d.UploadF32(wide, values)
	width := 16
	if n%width != 0 {
		width = n // rows that are not aligned
	}
	w, stats, one := x.Slice(0, width), alloc(t, d, 2*n), out.Slice(0, n)
	mean, rstd := stats.Slice(0, n), stats.Slice(n, n)
	left := map[string][]float32{}
	for name, op := range map[string]func(){
		"Copy":         func() { d.Copy(one, x) },
		"Fill":         func() { d.Fill(one, 0.3) },
		"Add":          func() { d.Add(one, x, y) },
		"Mul":          func() { d.Mul(one, x, y) },
		"RMSNorm":      func() { d.RMSNorm(one, rstd, x, w, width, 1e-5) },
		"LayerNorm":    func() { d.LayerNorm(one, mean, rstd, x, w, w, width, 1e-5) },
		"SwiGLU":       func() { d.SwiGLU(one, wide, width) },
		"SwiGLUGrad":   func() { d.SwiGLUGrad(out, x, wide, width) },
		"GELU":         func() { d.GELU(one, x) },
		"GELUGrad":     func() { d.GELUGrad(one, x, y) },
		"GELUTanh":     func() { d.GELUTanh(one, x) },
		"GELUTanhGrad": func() { d.GELUTanhGrad(one, x, y) },
		"Tanh":         func() { d.Tanh(one, x) },
		"TanhGrad":     func() { d.TanhGrad(one, x, y) },
		"a window":     func() { d.Add(out.Slice(1, n), x, y) },
	} {
		left[name] = make([]float32, 2*n)
		op()
		if err := d.DownloadF32(left[name], out); err != nil {
			t.Fatal(err)
		}
		d.Fill(out, 0)
	}
	return left
}
