package acceltest

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators"
)

func testMemory(r *rig) {
	r.run("allocations are zero", func(r *rig) {
		for _, n := range []int{0, 1, 17, 5000} {
			b, err := r.dev.Alloc(accelerators.F32, n)
			if err != nil {
				r.t.Fatal(err)
			}
			r.compare("memory", r.download(b), make([]float64, n), exactly)
			r.dev.Fill(b, 3)
			r.dev.Free(b)
		}
	})
	r.run("windows are separate", func(r *rig) {
		b := r.upload([]float64{1, 2, 3, 4, 5, 6})
		r.dev.Fill(b.Slice(1, 2), 9)
		r.dev.Copy(b.Slice(3, 2), b.Slice(0, 2))
		r.expect("window", b, []float64{1, 9, 9, 1, 9, 6}, exactly)
		r.expect("part", b.Slice(2, 3), []float64{9, 1, 9}, exactly)
	})
	r.run("integers", func(r *rig) {
		a, b := r.uploadInts([]int32{1, -2, 1 << 30}), r.uploadInts([]int32{0, 0, 0})
		r.dev.Copy(b, a)
		r.dev.Fill(a.Slice(0, 1), -7)
		for buffer, want := range map[accelerators.Buffer][]int32{a: {-7, -2, 1 << 30}, b: {1, -2, 1 << 30}} {
			if diff := cmp.Diff(want, r.downloadInts(buffer)); diff != "" {
				r.t.Error(diff)
			}
		}
	})
	r.run("the source of an upload may change", func(r *rig) {
		src := []float32{1, 2}
		b := r.upload([]float64{0, 0})
		r.dev.UploadF32(b, src)
		src[0] = 5
		r.expect("upload", b, []float64{1, 2}, exactly)
	})
	r.run("bits of sixteen are widened", func(r *rig) {
		widened(r, "UploadBF16", r.dev.UploadBF16, func(bits uint16) float64 {
			return float64(math.Float32frombits(uint32(bits) << 16))
		})
		widened(r, "UploadF16", r.dev.UploadF16, half)
	})
	r.run("an impossible allocation is an error at once", func(r *rig) {
		if _, err := r.dev.Alloc(accelerators.F32, 1<<50); err == nil {
			r.t.Error("allocated 4 PiB")
		}
		b, err := r.dev.Alloc(accelerators.BF16, 1)
		if holds := r.dev.HoldsBF16(); holds != (err == nil) {
			r.t.Errorf("HoldsBF16 is %v, and an allocation of it returns %v", holds, err)
		}
		if err == nil {
			r.dev.Free(b)
		}
	})
}

// everySixteen is all there are of sixteen bits.
func everySixteen() []uint16 {
	all := make([]uint16, 1<<16)
	for i := range all {
		all[i] = uint16(i)
	}
	return all
}

// widened uploads all bits, and a few to an odd place.
func widened(r *rig, name string, upload func(dst accelerators.Buffer, src []uint16), value func(uint16) float64) {
	all, few := r.output(1<<16), r.output(45)
	upload(all, everySixteen())
	upload(few, everySixteen()[:few.Len])
	r.sameBits(name, all, everySixteen(), value)
	r.sameBits(name, few, everySixteen()[:few.Len], value)
}

// sameBits wants the value of all bits, its sign and what is not a number included.
func (r *rig) sameBits(name string, b accelerators.Buffer, src []uint16, value func(uint16) float64) {
	r.t.Helper()
	for i, got := range r.download(b) {
		want := value(src[i])
		same := float64(got) == want || got != got && math.IsNaN(want)
		if !same || math.Signbit(float64(got)) != (src[i]>>15 == 1) {
			r.t.Fatalf("%s makes %v of the bits %04x, want %v", name, got, src[i], want)
		}
	}
}

// half is the value of an IEEE 754 half: a sign bit, five exponent bits of bias 15, ten fraction bits.
func half(bits uint16) float64 {
	exponent, fraction := int(bits>>10&31), float64(bits&0x3ff)
	value := math.Ldexp(1+fraction/1024, exponent-15)
	switch {
	case exponent == 0:
		value = math.Ldexp(fraction, -24)
	case exponent == 31 && fraction == 0:
		value = math.Inf(1)
	case exponent == 31:
		value = math.NaN()
	}
	if bits>>15 == 1 {
		return -value
	}
	return value
}

// mistakes are calls that a device must refuse with an error that names the operation, and survive.
func mistakes(r *rig) map[string]func() {
	d := r.dev
	x, y := r.upload(r.normal(12)), r.upload(r.normal(12))
	ids := func(v ...int32) accelerators.Buffer { return r.uploadInts(v) }
	var none accelerators.Buffer
	attention := accelerators.Attention{Tokens: 3, Heads: 2, KVHeads: 1, HeadDim: 2, StrideQ: 4, StrideK: 2, StrideV: 2,
		Offsets: ids(0, 3), Sequences: 1, MaxLen: 3, Scale: 1}
	return map[string]func(){
		"UploadF32":  func() { d.UploadF32(x, make([]float32, 11)) },
		"UploadBF16": func() { d.UploadBF16(x, make([]uint16, 11)) },
		"UploadF16":  func() { d.UploadF16(ids(1), make([]uint16, 1)) },
		"Embed":      func() { d.Embed(x, y, ids(0, 4), 3) },
		"EmbedGrad":  func() { d.EmbedGrad(x, y, ids(-1), 3) },
		"Gather":     func() { d.Gather(x, y, ids(0, 1<<30), 3) },
		"MatMul":     func() { d.MatMul(x, y, y, accelerators.MatMul{M: 4, N: 4, K: 3, Alpha: 1}) },
		"AddBias":    func() { d.AddBias(x, y.Slice(0, 2), 3) },
		"RMSNorm":    func() { d.RMSNorm(x, y.Slice(0, 1), y, y, 3, 1e-6) },
		"HeadNorm":   func() { d.HeadNorm(x, y, y, y, accelerators.HeadNorm{Tokens: 4, Heads: 2, Dim: 2, Stride: 3}) },
		"RoPE":       func() { d.RoPE(x, y, y, ids(12), accelerators.RoPE{Heads: 1, Dim: 2, Stride: 2}) },
		"Attention":  func() { d.Attention(x, y, x, x, x.Slice(0, 5), attention) },
		"GeGLU":      func() { d.GeGLU(x, y, 12) },
		"SwiGLU":     func() { d.SwiGLU(x, y, 12) },
		"GELU":       func() { d.GELU(x, y.Slice(0, 11)) },
		"GELUTanh":   func() { d.GELUTanh(x, y.Slice(0, 11)) },
		"HeadLoss":   func() { d.HeadLoss(x, x, y, y, ids(3), x, accelerators.Head{Tokens: 1, Width: 4, Vocab: 3}) },
		"Axpy":       func() { d.Axpy(x, none, 1) },
		"Add":        func() { d.Add(x, y, ids(1)) },
		"AdamW":      func() { d.AdamW(x, y, y.Slice(0, 3), y, accelerators.AdamW{Step: 1}) },
		"AdamWBF16":  func() { d.AdamWBF16(x, y, ids(0, 0, 0, 0, 0), ids(1, 2, 3, 4, 5, 6), accelerators.AdamW{Step: 1}) },
		"AdamW8Bit": func() {
			codes := accelerators.Dynamic8{Codes: ids(0, 0, 0), Scales: y.Slice(0, 1)}
			d.AdamW8Bit(x, y.Slice(0, 12), codes, codes, accelerators.AdamW{Step: 1})
		},
		"Sample": func() { d.Sample(ids(0), x, 6, make([]accelerators.Draw, 2)) },
	}
}

func testErrors(r *rig) {
	cases := mistakes(r)
	for _, op := range slices.Sorted(maps.Keys(cases)) {
		r.run(op, func(r *rig) {
			innocent := r.upload(r.normal(1))
			cases[op]()
			if err := r.dev.DownloadF32(make([]float32, 1), innocent); err == nil {
				r.t.Error("a download after the mistake returned no error")
			}
			switch err := r.dev.Sync(); {
			case err == nil:
				r.t.Error("Sync returned no error")
			case !strings.Contains(err.Error(), op):
				r.t.Errorf("error %q does not name the operation", err)
			}
			if err := r.dev.Sync(); err != nil {
				r.t.Errorf("the error came twice: %v", err)
			}
		})
	}
	r.owned = nil // the operands that met mistakes are not looked at again
	x := r.upload([]float64{1, 2})
	r.dev.Scale(x, 2)
	r.expect("after errors", x, []float64{2, 4}, exactly)
}
