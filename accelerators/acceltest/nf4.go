package acceltest

import (
	"fmt"
	"math"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

func testNF4(r *rig) {
	for _, n := range []int{1, 63, 64, 65, 127, 128, 129, 200, 1000, 64 * 256, 64*256 + 65, 100_000} {
		r.run(fmt.Sprint(n), func(r *rig) {
			x := r.normal(n)
			want := throughNF4(x)
			packed := r.alloc(accelerators.I32, accelerators.NF4Words(n))
			r.dev.PackNF4(packed, r.upload(x))
			out := r.output(n)
			r.dev.UnpackNF4(out, packed, n, 0)
			r.expect("unpacked", out, want, elementwise)
			for _, from := range []int{0, 128, n / 2 / 128 * 128, n / 128 * 128} {
				for _, size := range []int{0, 1, 100, 128, 700} {
					if from+size <= n {
						out := r.output(size)
						r.dev.UnpackNF4(out, packed, n, from)
						r.expect("a part", out, want[from:from+size], elementwise)
					}
				}
			}
		})
	}
	r.run("levels", testNF4Levels)
	r.run("mistakes", testNF4Mistakes)
}

// testUnpackBF16: what is unpacked to BF16 is what is unpacked to F32, rounded.
func testUnpackBF16(r *rig) {
	const n, from = 100_000, 1280
	packed, wide, half := r.alloc(accelerators.I32, accelerators.NF4Words(n)), r.output(n-from), r.result(n-from)
	r.dev.PackNF4(packed, r.upload(r.normal(n)))
	r.dev.UnpackNF4(wide, packed, n, from)
	r.dev.UnpackNF4(half, packed, n, from)
	r.expect("unpacked", half, allToBF16(widest(r.download(wide))), exactly)
}

// What lies on a level of its block is held exactly, and so are zeros, when blocks are of one scale.
func testNF4Levels(r *rig) {
	x := make([]float64, 7*accelerators.NF4Block)
	for i := range x {
		x[i] = 2 * float64(accelerators.NF4Levels[i*7%16])
	}
	packed, out := r.alloc(accelerators.I32, accelerators.NF4Words(len(x))), r.output(len(x))
	r.dev.PackNF4(packed, r.upload(x))
	r.dev.UnpackNF4(out, packed, len(x), 0)
	r.expect("levels", out, x, exactly)
	zeros := make([]float64, 130)
	packed, out = r.alloc(accelerators.I32, accelerators.NF4Words(130)), r.output(130)
	r.dev.PackNF4(packed, r.upload(zeros))
	r.dev.UnpackNF4(out, packed, 130, 0)
	r.expect("zeros", out, zeros, exactly)
}

func testNF4Mistakes(r *rig) {
	packed, x := r.alloc(accelerators.I32, accelerators.NF4Words(300)), r.upload(r.normal(300))
	for name, mistake := range map[string]func(){
		"a place within a unit": func() { r.dev.UnpackNF4(x.Slice(0, 64), packed, 300, 64) },
		"more than there is":    func() { r.dev.UnpackNF4(x, packed, 300, 128) },
		"a negative place":      func() { r.dev.UnpackNF4(x.Slice(0, 64), packed, 300, -128) },
		"packed of another":     func() { r.dev.UnpackNF4(x.Slice(0, 64), packed, 600, 0) },
		"too little room":       func() { r.dev.PackNF4(packed.Slice(0, 20), x) },
	} {
		mistake()
		if err := r.dev.Sync(); err == nil {
			r.t.Errorf("%s is no error", name)
		}
	}
}

// throughNF4 is what NF4 holds x as. Where a value lies between two levels is decided in float32.
func throughNF4(x []float64) []float64 {
	var tops []float64
	out := make([]float64, len(x))
	for i := 0; i < len(x); i += accelerators.NF4Block {
		block := x[i:min(i+accelerators.NF4Block, len(x))]
		top := largestOf(block)
		for j, v := range block {
			out[i+j] = nearestLevel(widest(accelerators.NF4Levels[:]), v, top)
		}
		tops = append(tops, top)
	}
	mean := 0.0
	for _, v := range tops {
		mean += v / float64(len(tops))
	}
	mean = float64(float32(mean))
	for i := range tops {
		tops[i] = float64(float32(tops[i] - mean))
	}
	levels := signedShares()
	slices.Sort(levels[:])
	for i := range out {
		b := i / accelerators.NF4Block
		first := b / accelerators.Dynamic8Block * accelerators.Dynamic8Block
		top := largestOf(tops[first:min(first+accelerators.Dynamic8Block, len(tops))])
		out[i] *= nearestLevel(levels[:], tops[b], top)*top + mean
	}
	return out
}

func largestOf(x []float64) (top float64) {
	for _, v := range x {
		top = max(top, math.Abs(v))
	}
	return top
}

// nearestLevel is the level nearest to v/top, of two the lower.
func nearestLevel(levels []float64, v, top float64) float64 {
	at, best := float64(float32(v)*(1/float32(max(top, 0x1p-126)))), 0
	for i := 1; i < len(levels); i++ {
		if at > (levels[i-1]+levels[i])/2 {
			best = i
		}
	}
	return levels[best]
}

func (f *printer) packed() {
	const n = 70_000
	packed, out := f.alloc(accelerators.I32, accelerators.NF4Words(n)), f.output(n-256)
	f.dev.PackNF4(packed, f.random(n))
	f.dev.UnpackNF4(out, packed, n, 256)
	f.print("PackNF4 and UnpackNF4", out)
}
