package cpu

import (
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// TestOverlapsAreErrors: an output that shares some elements with an input has no right result.
func TestOverlapsAreErrors(t *testing.T) {
	d := newDevice(1, &genericSet)
	whole := alloc(t, d, 100)
	at := func(off, n int) accelerators.Buffer { return whole.Slice(off, n) }
	other, ids := alloc(t, d, 100), ints(t, d, 0, 1)
	apart := func(off, n int) accelerators.Buffer { return other.Slice(off, n) }
	step := accelerators.AdamW{Step: 1}
	for name, op := range map[string]func(){
		"Add":        func() { d.Add(at(1, 8), at(0, 8), apart(0, 8)) },
		"Mul":        func() { d.Mul(at(0, 8), apart(0, 8), at(7, 8)) },
		"Axpy":       func() { d.Axpy(at(4, 8), at(0, 8), 1) },
		"Copy":       func() { d.Copy(at(4, 8), at(0, 8)) },
		"GELU":       func() { d.GELU(at(0, 8), at(1, 8)) },
		"TanhGrad":   func() { d.TanhGrad(at(3, 8), at(3, 8), at(4, 8)) },
		"SwiGLU":     func() { d.SwiGLU(at(0, 8), at(0, 16), 4) },
		"GeGLUGrad":  func() { d.GeGLUGrad(at(0, 16), apart(0, 8), at(0, 16), 4) },
		"SwiGLUGrad": func() { d.SwiGLUGrad(at(8, 16), apart(0, 8), at(0, 16), 4) },
		"RMSNorm":    func() { d.RMSNorm(at(0, 8), at(7, 2), apart(0, 8), apart(8, 4), 4, 1) },
		"RMSNormGrad": func() {
			d.RMSNormGrad(at(0, 8), apart(0, 4), at(0, 8), apart(4, 8), apart(12, 4), apart(16, 2), 4)
		},
		"HeadNorm": func() {
			s := accelerators.HeadNorm{Tokens: 2, Heads: 1, Dim: 4, Stride: 4}
			d.HeadNorm(at(0, 8), at(7, 2), apart(0, 8), apart(8, 4), s)
		},
		"LayerNorm": func() {
			d.LayerNorm(at(0, 8), apart(0, 2), apart(1, 2), at(0, 8), apart(4, 4), apart(4, 4), 4, 1)
		},
		"AddBias":    func() { d.AddBias(at(0, 8), at(4, 4), 4) },
		"BiasGrad":   func() { d.BiasGrad(at(4, 4), at(0, 8), 4) },
		"Embed":      func() { d.Embed(at(0, 8), at(4, 8), ids, 4) },
		"GatherGrad": func() { d.GatherGrad(at(0, 8), at(7, 8), ids, 4) },
		"AdamW":      func() { d.AdamW(at(0, 8), apart(0, 8), at(8, 8), at(8, 8), step) },
		"AdamWBF16":  func() { d.AdamWBF16(apart(0, 4), apart(4, 4), ids, ids, step) },
		"AdamW8Bit": func() {
			codes := func() accelerators.Dynamic8 { return accelerators.Dynamic8{Codes: ints(t, d, 0), Scales: at(0, 1)} }
			d.AdamW8Bit(apart(0, 4), apart(4, 4), codes(), codes(), step)
		},
		"Dot": func() { d.Dot(at(3, 1), at(0, 8), at(0, 8)) },
		"LayerNormGrad": func() {
			w, stat := apart(8, 4), apart(12, 1)
			d.LayerNormGrad(at(0, 4), at(3, 4), at(8, 4), apart(0, 4), apart(4, 4), w, stat, stat, 4)
		},
	} {
		op()
		err := d.Sync()
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "overlaps") {
			t.Errorf("%s: got error %v, want one about the overlap", name, err)
		}
	}
}

func TestOperationsWorkInPlaceWhereTheySay(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		d := newDevice(1, set)
		defer d.Close()
		const n, width = 60, 20
		y, w, stats := alloc(t, d, n), alloc(t, d, width), alloc(t, d, 2*n/width)
		d.Fill(w, 2)
		for i := range n {
			d.Fill(y.Slice(i, 1), float32(i%7)-3)
		}
		for name, op := range map[string]func(out, x accelerators.Buffer){
			"Add":          func(out, x accelerators.Buffer) { d.Add(out, x, y) },
			"Mul":          func(out, x accelerators.Buffer) { d.Mul(out, y, x) },
			"Copy":         func(out, x accelerators.Buffer) { d.Copy(out, x) },
			"GELUTanh":     func(out, x accelerators.Buffer) { d.GELUTanh(out, x) },
			"GELUTanhGrad": func(out, x accelerators.Buffer) { d.GELUTanhGrad(out, x, y) },
			"GELU":         func(out, x accelerators.Buffer) { d.GELU(out, x) },
			"GELUGrad":     func(out, x accelerators.Buffer) { d.GELUGrad(out, x, y) },
			"Tanh":         func(out, x accelerators.Buffer) { d.Tanh(out, x) },
			"TanhGrad":     func(out, x accelerators.Buffer) { d.TanhGrad(out, y, x) },
			"SwiGLUGrad":   func(out, x accelerators.Buffer) { d.SwiGLUGrad(out, y.Slice(0, n/2), x, 10) },
			"RMSNorm":      func(out, x accelerators.Buffer) { d.RMSNorm(out, stats, x, w, width, 1e-5) },
			"LayerNorm": func(out, x accelerators.Buffer) {
				d.LayerNorm(out, stats.Slice(0, 3), stats.Slice(3, 3), x, w, w, width, 1e-5)
			},
		} {
			out, x := alloc(t, d, n), alloc(t, d, n)
			d.Copy(x, y)
			op(out, x)
			op(x, x)
			want, got := make([]float32, n), make([]float32, n)
			if err := d.DownloadF32(want, out); err != nil {
				t.Fatal(name, err)
			}
			d.DownloadF32(got, x)
			near(t, name+" in place", n, want, got)
		}
	})
}

func TestSizesOutOfRangeAreErrors(t *testing.T) {
	d := newDevice(1, &genericSet)
	x, ids := alloc(t, d, 12), ints(t, d, 0)
	far, negative := x, x
	far.Off = 1<<63 - 1
	negative.Len = -4
	for want, op := range map[string]func(){
		"Add":     func() { d.Add(far, x, x) },
		"Scale":   func() { d.Scale(negative, 1) },
		"Embed":   func() { d.Embed(x, x, ids, 1<<62) },
		"Sample":  func() { d.Sample(ids, x, 1<<62, make([]accelerators.Draw, 3)) },
		"RoPE":    func() { d.RoPE(x, x, x, ids, accelerators.RoPE{Heads: 1 << 40, Dim: 1 << 40, Stride: 1 << 62}) },
		"RMSNorm": func() { d.RMSNorm(x, x, x, x, -3, 1) },
		"SwiGLU":  func() { d.SwiGLU(negative, x, 2) },
		"Fill":    func() { d.Fill(negative, 2) },
	} {
		op()
		if err := d.Sync(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one of %s", err, want)
		}
	}
}

func TestNothingAndSinglesPassEveryRowOperation(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		d := newDevice(2, set)
		defer d.Close()
		for _, rows := range []int{0, 1} {
			f := func(n int) accelerators.Buffer { return alloc(t, d, n) }
			ids := ints(t, d, make([]int32, rows)...)
			d.Embed(f(rows), f(1), ids, 1)
			d.EmbedGrad(f(1), f(rows), ids, 1)
			d.AddBias(f(rows), f(1), 1)
			d.BiasGrad(f(1), f(rows), 1)
			d.RMSNorm(f(rows), f(rows), f(rows), f(1), 1, 1e-5)
			d.RMSNormGrad(f(rows), f(1), f(rows), f(rows), f(1), f(rows), 1)
			d.LayerNorm(f(rows), f(rows), f(rows), f(rows), f(1), f(1), 1, 1e-5)
			d.LayerNormGrad(f(rows), f(1), f(1), f(rows), f(rows), f(1), f(rows), f(rows), 1)
			d.RoPE(f(2*rows), f(1), f(1), ids, accelerators.RoPE{Heads: 1, Dim: 2, Stride: 2})
			d.SwiGLU(f(rows), f(2*rows), 1)
			d.SwiGLUGrad(f(2*rows), f(rows), f(2*rows), 1)
			d.GELU(f(rows), f(rows))
			d.TanhGrad(f(rows), f(rows), f(rows))
			d.Add(f(rows), f(rows), f(rows))
			d.Dot(f(1), f(rows), f(rows))
			d.Fill(f(rows), 1)
			d.AdamW(f(rows), f(rows), f(rows), f(rows), accelerators.AdamW{Step: 1, Eps: 1})
			d.Sample(ids, f(rows), 1, make([]accelerators.Draw, rows))
			if err := d.Sync(); err != nil {
				t.Fatalf("%d rows: %v", rows, err)
			}
		}
	})
}
