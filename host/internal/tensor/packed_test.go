package tensor

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/dry"
)

// packedTwin is a fused matrix in NF4, of which the first tensor takes more than one tile, and one of the values that it
// holds. Rows do not end where blocks of weights do.
func packedTwin(t *testing.T, dev accelerators.Device) (packed, full *Param) {
	t.Helper()
	const first, second, cols = 1100, 3, 1000
	var sets [2]ParamSet
	packed = sets[0].Add("w", []int{first + second, cols}, true)
	full = sets[1].Add("w", packed.Shape, true)
	tensors := packed.Pack(first, second)
	for i := range sets {
		if err := sets[i].Alloc(dev, Frozen); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sets[i].Free(dev) })
	}
	dev.UploadF32(full.Update(), normals(rand.New(rand.NewPCG(5, 6)), full.Size()))
	off := 0
	for _, p := range tensors {
		values := full.Value().Slice(off, p.size())
		p.Store(dev, values)
		p.Load(dev, values)
		off += p.size()
	}
	if tiles := (first + tensors[0].tileRows() - 1) / tensors[0].tileRows(); tiles < 2 {
		t.Fatalf("%d tiles", tiles)
	}
	return packed, full
}

func TestProductsWithPackedTilesAreThoseWithTheirValues(t *testing.T) {
	dev := openCPU(t)
	packed, full := packedTwin(t, dev)
	out, in := full.Shape[0], full.Shape[1]
	for _, dora := range []bool{false, true} {
		shapes := [][]int{{5, in}, {out}, {2, in}, {1100, 2}, {2, in}, {3, 2}}
		if dora {
			shapes = append(shapes, []int{1100}, []int{3})
		}
		set := operands(t, dev, shapes...)
		x := set.All()
		low := []LowRank{{A: x[2], B: x[3], Scale: 0.5}, {A: x[4], B: x[5], From: 1100, Scale: -2}}
		if dora {
			low[0].Magnitude, low[1].Magnitude = x[6], x[7]
		}
		var results [2][]float32
		for i, w := range []*Param{full, packed} {
			set.ZeroGrad(dev)
			tape := NewTape(dev, NewArena(dev))
			y := tape.Linear(leaf(tape, x[0]), w, x[1], low...)
			values, err := tape.Download(y)
			if err != nil {
				t.Fatal(err)
			}
			if err := tape.Backward(Seed{y, normals(rand.New(rand.NewPCG(7, 8)), len(values))}); err != nil {
				t.Fatal(err)
			}
			results[i] = append(append(results[i], values...), download(t, dev, set.Grad)...)
			tape.Reset()
			if tape.arena.Lent() != 0 {
				t.Errorf("DoRA %v: %d bytes lent", dora, tape.arena.Lent())
			}
		}
		worst, size := 0.0, 0.0
		for i, want := range results[0] {
			worst = max(worst, math.Abs(float64(results[1][i]-want)))
			size = max(size, math.Abs(float64(want)))
		}
		if !(worst <= 1e-6*size) {
			t.Errorf("DoRA %v: results differ by %g, of %g", dora, worst, size)
		}
	}
}

func TestPackedTensorsTakeNoMoreThanATileOfValues(t *testing.T) {
	dev := dry.New(false)
	packed, full := packedTwin(t, dev)
	var peak [2]int64
	for i, w := range []*Param{full, packed} {
		set := operands(t, dev, []int{2, full.Shape[1]})
		tape := NewInference(dev, NewArena(dev))
		if err := tape.arena.Reserve(Unbounded); err != nil {
			t.Fatal(err)
		}
		tape.Linear(leaf(tape, set.All()[0]), w, nil)
		peak[i] = tape.arena.Used().F32
		tape.Reset()
	}
	if tile := bytesOf(accelerators.F32, packed.packed[0].tileRows()*full.Shape[1]); peak[1]-peak[0] != tile {
		t.Errorf("%d bytes beside %d, a tile takes %d", peak[1]-peak[0], peak[0], tile)
	}
}
