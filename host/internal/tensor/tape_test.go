package tensor

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

func TestTheFirstErrorSticksAndNamesOperationAndShapes(t *testing.T) {
	dev := openCPU(t)
	set := operands(t, dev, []int{3, 4}, []int{5, 4}, []int{6})
	x, w, v := set.All()[0], set.All()[1], set.All()[2]
	for _, c := range []struct {
		want string
		make func(tape *Tape) *Tensor
	}{
		{"Embed: p2 [6] is not a table", func(t *Tape) *Tensor { return t.Embed(v, t.Ints([]int32{0})) }},
		{"Linear: x [3,5] does not fit p1 [5,4]", func(t *Tape) *Tensor {
			return t.Linear(t.Linear(leaf(t, x), w, nil), w, nil)
		}},
		{"LinearAdd: bias p2 [6] does not fit p1 [5,4]", func(t *Tape) *Tensor {
			return t.LinearAdd(leaf(t, x), leaf(t, x), w, v)
		}},
		{"LinearAdd: residual [3,4] does not fit x [3,4] and p1 [5,4]", func(t *Tape) *Tensor {
			return t.LinearAdd(leaf(t, x), leaf(t, x), w, nil)
		}},
		{"RMSNorm: x [3,4] does not fit p2 [6]", func(t *Tape) *Tensor {
			return t.RMSNorm(leaf(t, x), Norm{Weight: v, Eps: 1})
		}},
		{"LayerNorm: x [3,4] does not fit p2 [6] and p2 [6]", func(t *Tape) *Tensor {
			return t.LayerNorm(leaf(t, x), v, v, 1)
		}},
		{"Add: [3,4] and [5,4]", func(t *Tape) *Tensor { return t.Add(leaf(t, x), leaf(t, w)) }},
		{"Mul: [3,4] and [5,4]", func(t *Tape) *Tensor { return t.Mul(leaf(t, x), leaf(t, w)) }},
		{"HeadLoss: 2 targets for hidden [3,4]", func(t *Tape) *Tensor {
			return t.HeadLoss(leaf(t, x), w, t.Ints([]int32{0, 1}), 0)
		}},
		{"Attention: qkv [3,4] for", func(t *Tape) *Tensor {
			return t.Attention(leaf(t, x), grouped, t.Segments([]int32{0, 3}))
		}},
		{"RoPE: qkv [3,4] for", func(t *Tape) *Tensor { return t.RoPE(leaf(t, x), grouped, turns(t)) }},
		{"MeanPool: x [3,4], sequences of [0 2] tokens", func(t *Tape) *Tensor {
			return t.MeanPool(leaf(t, x), t.Segments([]int32{0, 2}))
		}},
		{"Segments: sequence 1 has 0 tokens", func(t *Tape) *Tensor {
			return t.MeanPool(leaf(t, x), t.Segments([]int32{0, 3, 3}))
		}},
	} {
		tape := NewTape(dev, NewArena(dev))
		y := tape.Tanh(c.make(tape))
		tape.Add(y, leaf(tape, w))
		if err := tape.Err(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("the tape says %v, want %s", err, c.want)
		}
		if err := tape.Backward(); !errors.Is(err, tape.Err()) {
			t.Errorf("Backward says %v, not the first error", err)
		}
		if tape.Reset(); tape.Err() != nil {
			t.Errorf("an error outlives Reset: %v", tape.Err())
		}
	}
}

func TestErrorsOfTheDeviceComeOutOfDownload(t *testing.T) {
	dev := openCPU(t)
	table := operands(t, dev, []int{3, 4}).All()[0]
	tape := NewTape(dev, NewArena(dev))
	y := tape.Embed(table, tape.Ints([]int32{3}))
	if _, err := tape.Download(y); err == nil || tape.Err() != nil {
		t.Errorf("Download says %v, the tape %v", err, tape.Err())
	}
	if dev.Sync() == nil {
		t.Error("the device forgot the error before Sync")
	}
}

// step is a small model's forward and backward pass.
func step(t *testing.T, tape *Tape, set *ParamSet, tokens int) {
	t.Helper()
	defer tape.Reset()
	x := tape.Embed(set.All()[0], tape.Ints(make([]int32, tokens)))
	for range 3 {
		x = tape.LinearAdd(x, tape.GELU(tape.Linear(x, set.All()[1], nil)), set.All()[1], nil)
	}
	if err := tape.Backward(Seed{x, make([]float32, tokens*x.Cols)}); err != nil {
		t.Fatal(err)
	}
}

func TestAStepOfEqualShapeAllocatesNothing(t *testing.T) {
	dev := &counting{Device: openCPU(t)}
	set := operands(t, dev, []int{4, 64}, []int{64, 64})
	tape := NewTape(dev, NewArena(dev))
	step(t, tape, set, 50)
	before, peak := dev.allocs, tape.arena.Peak()
	for range 3 {
		step(t, tape, set, 50)
	}
	if dev.allocs != before || tape.arena.Peak() != peak {
		t.Errorf("%d allocations after the first step, peak %d then %d", dev.allocs-before, peak, tape.arena.Peak())
	}
	if tape.arena.Lent() != 0 {
		t.Errorf("%d bytes lent after Reset", tape.arena.Lent())
	}
}

func TestStepsOfChangingShapesKeepTheArenaBounded(t *testing.T) {
	dev := openCPU(t)
	set := operands(t, dev, []int{4, 64}, []int{64, 64})
	whole := NewTape(dev, NewArena(dev))
	step(t, whole, set, 1000)
	mixed := NewTape(dev, NewArena(dev))
	for tokens := 100; tokens <= 1000; tokens += 50 {
		step(t, mixed, set, tokens)
	}
	if most := whole.arena.Peak() * 3 / 2; mixed.arena.Peak() > most {
		t.Errorf("the arena grew to %d bytes; the longest step alone needs %d", mixed.arena.Peak(), whole.arena.Peak())
	}
}

func TestAnInferenceTapeReleasesWhatIsNotKept(t *testing.T) {
	dev := openCPU(t)
	w := operands(t, dev, []int{64, 64}).All()[0]
	arena := NewArena(dev)
	tape := NewInference(dev, arena)
	ids := tape.Ints(make([]int32, 64))
	mark := tape.Mark()
	x := tape.Embed(w, ids)
	one := arena.Lent()
	for range 10 {
		x = tape.Tanh(tape.Linear(x, w, nil))
		tape.Release(mark, x)
		if arena.Lent() != one {
			t.Fatalf("%d bytes lent, want one activation and the ids, %d", arena.Lent(), one)
		}
	}
	if _, err := tape.Download(x); err != nil {
		t.Error(err)
	}
}

func TestAnArenaWithoutRoomFailsTheTape(t *testing.T) {
	dev := &counting{Device: openCPU(t), room: 2}
	tape := NewTape(dev, NewArena(dev))
	tape.Ints([]int32{1})
	floats := tape.Floats([]float32{1})
	if !floats.Present() || tape.Err() != nil {
		t.Fatal(tape.Err())
	}
	tape.Floats(make([]float32, smallestBlock))
	if err := tape.Err(); err == nil || !strings.Contains(err.Error(), "allocate 65536 elements of f32: no room") {
		t.Errorf("the tape says %v", err)
	}
	tape.Reset()
	if tape.Floats(make([]float32, smallestBlock)); tape.Err() != nil {
		t.Errorf("after Reset: %v", tape.Err())
	}
}

// counting is a device that counts allocations and, where room is set, has so many of them.
type counting struct {
	accelerators.Device
	allocs, room int
}

func (c *counting) Alloc(kind accelerators.DType, n int) (accelerators.Buffer, error) {
	if c.room > 0 && c.allocs == c.room {
		return accelerators.Buffer{}, errors.New("no room")
	}
	c.allocs++
	return c.Device.Alloc(kind, n)
}

func TestParametersLieInGroupsOfOneDecay(t *testing.T) {
	dev := openCPU(t)
	set := &ParamSet{}
	embed := set.Add("embed", []int{3, 5}, false)
	w := set.Add("w", []int{5, 5}, true)
	norm := set.Add("norm", []int{5}, false)
	v := set.Add("v", []int{2, 5}, true)
	if err := set.Alloc(dev, false); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(set.All(), []*Param{embed, w, norm, v}) {
		t.Errorf("All is not in the order of adding: %v", set.All())
	}
	end := 0
	for _, g := range set.Groups() {
		if g.Off != end {
			t.Errorf("group %+v begins elsewhere than at %d", g, end)
		}
		end += g.Len
		for _, p := range set.All() {
			if in := p.Off >= g.Off && p.Off+p.Size() <= g.Off+g.Len; in != (p.Decay == g.Decay) {
				t.Errorf("%v with decay %v at %d, group %+v", p, p.Decay, p.Off, g)
			}
		}
	}
	if end != set.Count() || set.Value.Len != end || set.Grad.Len != end {
		t.Errorf("groups end at %d, count %d, buffers %d and %d", end, set.Count(), set.Value.Len, set.Grad.Len)
	}
}

func TestCachedAttentionEqualsAttentionOverTheWholeSequence(t *testing.T) {
	for window := range 4 {
		h := grouped
		h.Window = window
		testCachedAttention(t, h)
	}
}

func testCachedAttention(t *testing.T, h Heads) {
	dev := openCPU(t)
	arena := NewArena(dev)
	qkv := operands(t, dev, []int{9, h.Width()}).All()[0]
	tape := NewInference(dev, arena)
	all := leaf(tape, qkv)
	want, err := tape.Download(tape.Attention(all, h, tape.Segments(packed)))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := NewCache(dev, arena, 1, 3, 5, h)
	if err != nil {
		t.Fatal(err)
	}
	for at := range 5 {
		rows, slots := make([]int32, 3), make([]Slot, 3)
		for s := range slots {
			length := int(packed[s+1] - packed[s])
			rows[s], slots[s] = packed[s]+int32(min(at, length-1)), Slot{s, at}
			if at >= length {
				slots[s].At = Nowhere
			}
		}
		y := tape.Decode(cache, 0, tape.Gather(all, tape.Ints(rows)), h, tape.Store(cache, slots))
		got, err := tape.Download(y)
		if err != nil {
			t.Fatal(err)
		}
		for s, slot := range slots {
			row := int(rows[s])
			if slot.At != Nowhere && !near(got[s*y.Cols:(s+1)*y.Cols], want[row*y.Cols:(row+1)*y.Cols], 1e-6) {
				t.Errorf("token %d of sequence %d attends otherwise from the cache with window %d", at, s, h.Window)
			}
		}
	}
	cache.Free()
	if tape.Reset(); arena.Lent() != 0 {
		t.Errorf("%d bytes were not given back", arena.Lent())
	}
}

func near(a, b []float32, tolerance float32) bool {
	for i := range a {
		if a[i]-b[i] > tolerance || b[i]-a[i] > tolerance {
			return false
		}
	}
	return len(a) == len(b)
}
