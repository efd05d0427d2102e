package tensor

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest/narrow"
)

// Operations on activations in BF16 have the gradients of those in F32, but for roundings.
func TestEveryOperationWorksInBF16(t *testing.T) {
	for _, op := range opCases() {
		for _, shared := range []bool{false, true} {
			if shared && (op.inPlace || op.leaves == 0) {
				continue
			}
			t.Run(op.name, func(t *testing.T) {
				compareTypes(t, op, shared)
			})
		}
	}
}

func compareTypes(t *testing.T, op opCase, shared bool) {
	dev := narrow.Open(t)
	exact := &check{opCase: op, dev: dev, set: operands(t, dev, op.shapes...), arena: NewArena(dev), shared: shared}
	half := *exact
	half.compute, half.set = accelerators.BF16, operands(t, dev, op.shapes...)
	var losses [2]float64
	for i, c := range []*check{exact, &half} {
		c.set.ZeroGrad(dev)
		losses[i] = c.run(t, true)
		if c.arena.Lent() != 0 {
			t.Errorf("%d bytes were not given back", c.arena.Lent())
		}
	}
	if losses[0] == losses[1] || math.Abs(losses[0]-losses[1]) > 0.05*(1+math.Abs(losses[0])) {
		t.Errorf("the loss is %g, in f32 %g", losses[1], losses[0])
	}
	for i, p := range half.set.All() {
		got, want := download(t, dev, p.Grad), download(t, dev, exact.set.All()[i].Grad)
		for j := range want {
			if off := math.Abs(float64(got[j] - want[j])); off > 0.1*(1+math.Abs(float64(want[j]))) {
				t.Errorf("the gradient of %s[%d] is %g, in f32 %g", p.Name, j, got[j], want[j])
			}
		}
	}
}

// A packed matrix is unpacked whole, so its products are those of a matrix that is held in BF16.
func TestProductsWithPackedWeightsInBF16AreThoseWithTheirValues(t *testing.T) {
	dev := narrow.Open(t)
	packed, full := packedTwin(t, dev)
	set := operands(t, dev, []int{5, full.Shape[1]})
	var results [2][]float32
	for i, w := range []*Param{full, packed} {
		set.ZeroGrad(dev)
		tape := NewTape(dev, NewArena(dev))
		tape.Compute = accelerators.BF16
		y := tape.Linear(leaf(tape, set.All()[0]), w, nil)
		values, err := tape.Download(y)
		if err != nil {
			t.Fatal(err)
		}
		if err := tape.Backward(Seed{y, normals(rand.New(rand.NewPCG(7, 8)), len(values))}); err != nil {
			t.Fatal(err)
		}
		results[i] = append(values, download(t, dev, set.Grad)...)
		tape.Reset()
		if tape.arena.Lent() != 0 {
			t.Errorf("%d bytes lent", tape.arena.Lent())
		}
	}
	if !slices.Equal(results[0], results[1]) {
		t.Error("results differ")
	}
}

// Copies in BF16 are made for what products read, once, and again after each change.
func TestCopiesInBF16FollowTheirWeights(t *testing.T) {
	dev := narrow.Open(t)
	set := &ParamSet{}
	table, w, v := set.Add("table", []int{2, 4}, false), set.Add("w", []int{3, 4}, true), set.Add("v", []int{3, 3}, true)
	if err := set.Alloc(dev, Trained); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Free(dev) })
	draw(dev, set)
	arena, before := NewArena(dev), set.Bytes()
	product := func() []float32 {
		tape := NewInference(dev, arena)
		tape.Compute = accelerators.BF16
		defer tape.Reset()
		y, err := tape.Download(tape.Scores(tape.Linear(tape.Embed(table, tape.Ints([]int32{1})), w, nil), v, nil))
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	first := product()
	if took := set.Bytes() - before; took != 2*(3*4+3*3) {
		t.Errorf("copies take %d bytes", took)
	}
	changes := map[string]func(){
		"the set":         func() { dev.Scale(set.Update(), 0.5) },
		"a parameter":     func() { dev.Scale(w.Update(), 0.125) },
		"another of them": func() { dev.Scale(v.Update(), 0.125) },
	}
	for name, change := range changes {
		change()
		for i, y := range product() {
			if want := first[i] / 8; y != want {
				t.Errorf("output %d after a change of %s is %g, want %g", i, name, y, want)
			}
		}
		first = product()
	}
}
