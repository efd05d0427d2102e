package cpu

import (
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// rowOperations are the operations over rows and elements, on operands of a size that is cut into many blocks.
func rowOperations(t testing.TB, d *Device) map[string]func() {
	const rows, width, entries = 300, 96, 30
	floats := func(n int) accelerators.Buffer {
		b := alloc(t, d, n)
		d.Fill(b, 0.25)
		return b
	}
	second := floats(2 * rows * width)
	wide, x, y, z := floats(2*rows*width), floats(rows*width), floats(rows*width), floats(rows*width)
	w, b, dw, db, mean, rstd := floats(width), floats(width), floats(width), floats(width), floats(rows), floats(rows)
	table, angles := floats(entries*width), floats(entries*width/2)
	ids, drawn := ints(t, d, make([]int32, rows)...), ints(t, d, make([]int32, rows)...)
	whole := accelerators.RoPE{Heads: 1, Dim: width, Stride: width}
	oneHead := accelerators.HeadNorm{Tokens: rows, Heads: 1, Dim: width, Stride: width, Eps: 1e-5}
	zeros := func(n int) accelerators.Buffer { return ints(t, d, make([]int32, n)...) }
	words, words2 := zeros((x.Len+1)/2), zeros((x.Len+1)/2)
	blocks := (x.Len + accelerators.Dynamic8Block - 1) / accelerators.Dynamic8Block
	codes := accelerators.Dynamic8{Codes: zeros((x.Len + 3) / 4), Scales: floats(blocks)}
	codes2 := accelerators.Dynamic8{Codes: zeros((x.Len + 3) / 4), Scales: floats(blocks)}
	host, halves := make([]float32, rows*width), make([]uint16, rows*width)
	logits := floats(rows * width) // the others may leave what has no softmax
	packed := ints(t, d, make([]int32, accelerators.NF4Words(rows*width))...)
	draws := slices.Repeat([]accelerators.Draw{{Temperature: 1, TopK: 40, TopP: 0.9}}, rows)
	return map[string]func(){
		"Embed":         func() { d.Embed(x, table, ids, width) },
		"EmbedGrad":     func() { d.EmbedGrad(table, x, ids, width) },
		"Gather":        func() { d.Gather(x, y, ids, width) },
		"GatherGrad":    func() { d.GatherGrad(x, y, ids, width) },
		"AddBias":       func() { d.AddBias(x, b, width) },
		"BiasGrad":      func() { d.BiasGrad(b, x, width) },
		"RMSNorm":       func() { d.RMSNorm(x, rstd, y, w, width, 1e-5) },
		"RMSNormGrad":   func() { d.RMSNormGrad(x, dw, y, z, w, rstd, width) },
		"HeadNorm":      func() { d.HeadNorm(x, rstd, y, w, oneHead) },
		"HeadNormGrad":  func() { d.HeadNormGrad(x, dw, y, z, w, rstd, oneHead) },
		"LayerNorm":     func() { d.LayerNorm(x, mean, rstd, y, w, b, width, 1e-5) },
		"LayerNormGrad": func() { d.LayerNormGrad(x, dw, db, y, z, w, mean, rstd, width) },
		"RoPE":          func() { d.RoPE(x, angles, angles, ids, whole) },
		"SwiGLU":        func() { d.SwiGLU(x, wide, width) },
		"SwiGLUGrad":    func() { d.SwiGLUGrad(wide, x, wide, width) },
		"GELUTanh":      func() { d.GELUTanh(x, y) },
		"GELUTanhGrad":  func() { d.GELUTanhGrad(x, y, z) },
		"GeGLU":         func() { d.GeGLU(x, wide, width) },
		"GeGLUGrad":     func() { d.GeGLUGrad(wide, x, second, width) },
		"GELU":          func() { d.GELU(x, y) },
		"GELUGrad":      func() { d.GELUGrad(x, y, z) },
		"Tanh":          func() { d.Tanh(x, y) },
		"TanhGrad":      func() { d.TanhGrad(x, y, z) },
		"Axpy":          func() { d.Axpy(x, y, 0.5) },
		"Scale":         func() { d.Scale(x, 0.5) },
		"Add":           func() { d.Add(x, y, z) },
		"Mul":           func() { d.Mul(x, y, z) },
		"Dot":           func() { d.Dot(mean.Slice(0, 1), y, z) },
		"SquaredNorm":   func() { d.SquaredNorm(mean.Slice(0, 1), y) },
		"Copy":          func() { d.Copy(x, y) },
		"Fill":          func() { d.Fill(x, 0.25) },
		"PackNF4":       func() { d.PackNF4(packed, x) },
		"UnpackNF4":     func() { d.UnpackNF4(x, packed, x.Len, 0) },
		"UploadF32":     func() { d.UploadF32(x, host) },
		"UploadBF16":    func() { d.UploadBF16(x, halves) },
		"UploadF16":     func() { d.UploadF16(x, halves) },
		"UploadI32":     func() { d.UploadI32(ids, make([]int32, rows)) },
		"DownloadF32":   func() { d.DownloadF32(host, x) },
		"Sync":          func() { d.Sync() },
		"AdamW":         func() { d.AdamW(x, y, z, wide.Slice(0, x.Len), accelerators.AdamW{Step: 3, Eps: 1e-8}) },
		"AdamWBF16":     func() { d.AdamWBF16(x, y, words, words2, accelerators.AdamW{Step: 3, Eps: 1e-8}) },
		"AdamW8Bit":     func() { d.AdamW8Bit(x, y, codes, codes2, accelerators.AdamW{Step: 3, Eps: 1e-8}) },
		"Sample":        func() { d.Sample(drawn, logits, width, draws) },
	}
}

func TestOperationsAllocateNothing(t *testing.T) {
	for _, threads := range []int{1, 3} {
		d := newDevice(threads, bestSet(t))
		defer d.Close()
		for name, op := range rowOperations(t, d) {
			if n := testing.AllocsPerRun(10, op); n != 0 {
				t.Errorf("%s on %d threads: %v allocations a run", name, threads, n)
			}
			if err := d.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
