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

func TestWhatAnInferenceTapeDoesInPlaceHasTheSameBits(t *testing.T) {
	dev := openCPU(t)
	set := operands(t, dev, []int{5, 4}, []int{9, 4}, []int{9}, []int{4, 9}, []int{4})
	x, up, upBias, down, bias := set.All()[0], set.All()[1], set.All()[2], set.All()[3], set.All()[4]
	outputs := func(tape *Tape) []float32 {
		residual := tape.Scale(leaf(tape, x), 2)
		y, err := tape.Download(tape.LinearAdd(residual, tape.GELU(tape.Linear(residual, up, upBias)), down, bias))
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	inference, recording := outputs(NewInference(dev, NewArena(dev))), outputs(NewTape(dev, NewArena(dev)))
	if !slices.Equal(inference, recording) {
		t.Errorf("%v, recording %v", inference, recording)
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
	if err := set.Alloc(dev, Trained); err != nil {
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
	if end != set.Count() || set.Value().Len != end || set.Grad.Len != end {
		t.Errorf("groups end at %d, count %d, buffers %d and %d", end, set.Count(), set.Value().Len, set.Grad.Len)
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
	lengths := []int{2*PageSize + 3, 1, PageSize}
	offsets := []int32{0}
	for _, n := range lengths {
		offsets = append(offsets, offsets[len(offsets)-1]+int32(n))
	}
	total := int(offsets[3])
	qkv := operands(t, dev, []int{total, h.Width()}).All()[0]
	tape := NewInference(dev, arena)
	all := leaf(tape, qkv)
	want, err := tape.Download(tape.Attention(all, h, tape.Segments(offsets)))
	if err != nil {
		t.Fatal(err)
	}
	whole := decodeInPasses(t, tape, all, h, lengths, total)
	if !near(whole, want, 1e-6) {
		t.Errorf("tokens attend otherwise from the cache with window %d", h.Window)
	}
	for _, most := range []int{1, 20, PageSize} {
		if got := decodeInPasses(t, tape, all, h, lengths, most); !slices.Equal(got, whole) {
			t.Errorf("in passes of %d tokens, with window %d, the bits differ", most, h.Window)
		}
	}
	if tape.Reset(); arena.Lent() != 0 {
		t.Errorf("%d bytes were not given back", arena.Lent())
	}
}

// decodeInPasses puts sequences through a cache, at most so many tokens of each in a pass, and returns all rows. The
// cache has held others before.
func decodeInPasses(t *testing.T, tape *Tape, all *Tensor, h Heads, lengths []int, most int) []float32 {
	cache, err := NewCache(tape, tape.arena, 1, 5, h)
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Free()
	used, _ := cache.Extend(nil, 5*PageSize)
	tape.dev.Fill(cache.layers[0], 9)
	cache.Release(used)
	pages := make([][]int32, len(lengths))
	out := make([]float32, all.Rows*h.Query*h.Dim)
	for from := 0; from < slices.Max(lengths); from += most {
		var rows []int32
		var slots []Slot
		first := 0
		for s, n := range lengths {
			pages[s], _ = cache.Extend(pages[s], min(n, from+most))
			for at := from; at < min(n, from+most); at++ {
				rows, slots = append(rows, int32(first+at)), append(slots, Slot{s, at})
			}
			first += n
		}
		y := tape.Decode(cache, 0, tape.Gather(all, tape.Ints(rows)), h, tape.Store(cache, pages, slots))
		got, err := tape.Download(y)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			copy(out[int(row)*y.Cols:][:y.Cols], got[i*y.Cols:])
		}
	}
	return out
}

func TestACacheHandsOutEachPageOnce(t *testing.T) {
	dev := openCPU(t)
	arena := NewArena(dev)
	cache, err := NewCache(NewInference(dev, arena), arena, 2, 4, grouped)
	if err != nil {
		t.Fatal(err)
	}
	a, ok := cache.Extend(nil, PageSize+1)
	b, more := cache.Extend(nil, 1)
	if !ok || !more || len(a) != 2 || len(b) != 1 || cache.Unused() != 1 {
		t.Errorf("the sequences have pages %v and %v, %d are left", a, b, cache.Unused())
	}
	if same, ok := cache.Extend(a, 2*PageSize); !ok || len(same) != 2 {
		t.Errorf("pages %v hold two pages of tokens", same)
	}
	if same, ok := cache.Extend(a, 4*PageSize); ok || len(same) != 2 || cache.Unused() != 1 {
		t.Errorf("a cache of 4 pages gave %v beside %v", same, b)
	}
	cache.Release(b)
	if a, ok = cache.Extend(a, 4*PageSize); !ok || cache.Unused() != 0 {
		t.Errorf("a sequence alone has pages %v", a)
	}
	slices.Sort(a)
	if !slices.Equal(a, []int32{0, 1, 2, 3}) {
		t.Errorf("a sequence has all pages, and they are %v", a)
	}
	if cache.Free(); arena.Lent() != 0 {
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
