package tensor

import (
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/dry"
)

// headCase runs the head over a leaf, once with a seed and once with the gradient known beforehand, and returns losses
// and gradients.
func headCase(t *testing.T, dev accelerators.Device, set *ParamSet, known bool) (losses, dx, dw []float32) {
	t.Helper()
	arena := NewArena(dev)
	tape := NewTape(dev, arena)
	x, w := set.All()[0], set.All()[1]
	gradient, targets := []float32{1, 0.5, -2, 0, 3}, []int32{6, -1, 0, 3, 3}
	set.ZeroGrad(dev)
	hidden := leaf(tape, x)
	var y *Tensor
	var seeds []Seed
	if known {
		y = tape.HeadLearn(hidden, w, tape.Ints(targets), gradient, 0)
	} else {
		y = tape.HeadLoss(hidden, w, tape.Ints(targets), 0)
		seeds = []Seed{{y, gradient}}
	}
	losses, err := tape.Download(y)
	if err != nil {
		t.Fatal(err)
	}
	if err := tape.Backward(seeds...); err != nil {
		t.Fatal(err)
	}
	if tape.Reset(); arena.Lent() != 0 {
		t.Errorf("%d bytes were not given back", arena.Lent())
	}
	return losses, download(t, dev, x.Grad), download(t, dev, w.Grad)
}

func TestHeadLearnIsHeadLossWithASeed(t *testing.T) {
	dev := openCPU(t)
	set := operands(t, dev, []int{5, 4}, []int{7, 4})
	losses, dx, dw := headCase(t, dev, set, false)
	gotLosses, gotX, gotW := headCase(t, dev, set, true)
	if !near(gotLosses, losses, 1e-6) || !near(gotX, dx, 1e-6) || !near(gotW, dw, 1e-6) {
		t.Errorf("losses %v, want %v\ndx %v, want %v\ndw %v, want %v", gotLosses, losses, gotX, dx, gotW, dw)
	}
}

func TestHeadLearnTakesNoSeedAndNeedsARecordingTape(t *testing.T) {
	dev := openCPU(t)
	set := operands(t, dev, []int{1, 4}, []int{7, 4})
	tape := NewTape(dev, NewArena(dev))
	y := tape.HeadLearn(leaf(tape, set.All()[0]), set.All()[1], tape.Ints([]int32{2}), []float32{1}, 0)
	err := tape.Backward(Seed{y, []float32{1}})
	if err == nil || !strings.HasPrefix(err.Error(), "HeadLearn: its result takes no other gradient") {
		t.Errorf("with a seed: %v", err)
	}
	inference := NewInference(dev, NewArena(dev))
	inference.HeadLearn(leaf(inference, set.All()[0]), set.All()[1], inference.Ints([]int32{2}), []float32{1}, 0)
	if err := inference.Err(); err == nil || err.Error() != "HeadLearn: the tape does not record" {
		t.Errorf("on an inference tape: %v", err)
	}
}

// Matrices are not cleared but overwritten: neither what lay there before nor a weight that a step does not use may show.
func TestGradientsStartAnewAfterZeroGrad(t *testing.T) {
	dev := openCPU(t)
	set := operands(t, dev, []int{5, 4}, []int{3, 4}, []int{3}, []int{6, 6})
	gradients := func(before float32, passes int) []float32 {
		dev.Fill(set.Grad, before)
		set.ZeroGrad(dev)
		for range passes {
			tape := NewTape(dev, NewArena(dev))
			y := tape.Linear(leaf(tape, set.All()[0]), set.All()[1], set.All()[2])
			if err := tape.Backward(Seed{y, slices.Repeat([]float32{1}, 15)}); err != nil {
				t.Fatal(err)
			}
			tape.Reset()
		}
		var all []float32
		for _, p := range set.All() {
			all = append(all, download(t, dev, p.Grad)...)
		}
		return all
	}
	want := gradients(0, 1)
	if got := gradients(7, 1); !slices.Equal(got, want) {
		t.Errorf("gradients keep what was there:\n%v, want\n%v", got, want)
	}
	if slices.Max(want[len(want)-36:]) != 0 {
		t.Errorf("an unused weight has a gradient: %v", want[len(want)-36:])
	}
	for i := range want {
		want[i] *= 2
	}
	if got := gradients(7, 2); !near(got, want, 1e-5) {
		t.Errorf("two passes do not add up:\n%v, want\n%v", got, want)
	}
}

func TestARecordingTapeGoesThroughFrozenParameters(t *testing.T) {
	dev := openCPU(t)
	set := operands(t, dev, []int{5, 4}, []int{4, 4}, []int{4}, []int{4}, []int{7, 4})
	gradient := func() []float32 {
		set.ZeroGrad(dev)
		arena := NewArena(dev)
		tape := NewTape(dev, arena)
		p := set.All()
		x := tape.RMSNorm(tape.Linear(leaf(tape, p[0]), p[1], p[2]), Norm{Weight: p[3], Eps: 1e-5})
		x = tape.LayerNorm(x, p[2], p[3], 1e-5)
		tape.Embed(p[1], tape.Ints([]int32{0}))
		tape.HeadLearn(x, p[4], tape.Ints([]int32{0, 1, 2, 3, 4}), []float32{1, 2, 3, 4, 5}, 0)
		y := tape.HeadLoss(x, p[4], tape.Ints([]int32{4, 3, 2, 1, 0}), 0)
		if err := tape.Backward(Seed{y, []float32{1, 2, 3, 4, 5}}); err != nil {
			t.Fatal(err)
		}
		if tape.Reset(); arena.Lent() != 0 {
			t.Errorf("%d bytes were not given back", arena.Lent())
		}
		return download(t, dev, p[0].Grad)
	}
	want := gradient()
	for _, p := range set.All()[1:] {
		p.Grad = accelerators.Buffer{}
	}
	if got := gradient(); !slices.Equal(got, want) {
		t.Errorf("the gradient below is %v, want %v", got, want)
	}
}

// rounded notes what products compute in.
type rounded struct {
	accelerators.Device
	seen map[accelerators.DType]int
}

func (r *rounded) MatMul(c, a, b accelerators.Buffer, s accelerators.MatMul) { r.seen[s.Compute]++ }

func (r *rounded) HeadLoss(_, _, _, _, _, _ accelerators.Buffer, s accelerators.Head) {
	r.seen[s.Compute]++
}

func (r *rounded) HeadLossGrad(_, _, _, _, _, _, _, _ accelerators.Buffer, s accelerators.Head) {
	r.seen[s.Compute]++
}

func (r *rounded) HeadLearn(_, _, _, _, _, _, _, _ accelerators.Buffer, s accelerators.Head) {
	r.seen[s.Compute]++
}

func TestComputeReachesEveryProduct(t *testing.T) {
	dev := &rounded{dry.New(false), map[accelerators.DType]int{}}
	set := operands(t, dev, []int{5, 4}, []int{4, 4}, []int{7, 4})
	tape := NewTape(dev, NewArena(dev))
	tape.Compute = accelerators.BF16
	x := tape.Linear(leaf(tape, set.All()[0]), set.All()[1], nil)
	tape.HeadLearn(x, set.All()[2], tape.Ints(make([]int32, 5)), make([]float32, 5), 0)
	y := tape.HeadLoss(x, set.All()[2], tape.Ints(make([]int32, 5)), 0)
	if err := tape.Backward(Seed{y, make([]float32, 5)}); err != nil {
		t.Fatal(err)
	}
	if dev.seen[accelerators.F32] != 0 || dev.seen[accelerators.BF16] != 3+1+2 {
		t.Errorf("products by type: %v", dev.seen)
	}
}
