package tensor

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/dry"
)

// A loan is a buffer that a test has taken, and from which end.
type loan struct {
	accelerators.Buffer
	at end
}

// errand takes and returns buffers of random sizes, the same for a seed; visit sees what is lent after each move.
func errand(t *testing.T, a *Arena, seed uint64, moves, largest int, visit func(lent []loan)) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	var lent []loan
	for range moves {
		if n := len(lent); n > 0 && random.IntN(2) == 0 {
			i := random.IntN(n)
			a.Put(lent[i].Buffer)
			lent = slices.Delete(lent, i, i+1)
		} else {
			kind := []accelerators.DType{accelerators.F32, accelerators.I32}[random.IntN(2)]
			at := end(random.IntN(2))
			b, err := a.lend(at, kind, random.IntN(largest))
			if err != nil {
				t.Fatal(err)
			}
			lent = append(lent, loan{b, at})
		}
		visit(lent)
	}
	for _, b := range lent {
		a.Put(b.Buffer)
	}
}

// places are where loans lie, counted from their ends of the only block.
func (a *Arena) places(lent []loan) []int {
	var all []int
	for _, b := range lent {
		if b.at == high {
			b.Off = a.region(b.Type).blocks[0].mem.Len - b.Off
		}
		all = append(all, b.Off)
	}
	return all
}

func disjoint(lent []loan) bool {
	for i, a := range lent {
		for _, b := range lent[:i] {
			if a.Mem == b.Mem && a.Off < b.Off+aligned(b.Len) && b.Off < a.Off+aligned(a.Len) {
				return false
			}
		}
	}
	return true
}

func TestLoansOfAnArenaAreDisjointAndAligned(t *testing.T) {
	for seed := range uint64(20) {
		a := NewArena(dry.New(false))
		for _, reserved := range []bool{false, true} {
			if reserved {
				if err := a.Reserve(Sizes{F32: 400 << 10, I32: 64}); err != nil {
					t.Fatal(err)
				}
			}
			errand(t, a, seed, 300, 9000, func(lent []loan) {
				var bytes int64
				for _, b := range lent {
					bytes += bytesOf(b.Type, aligned(b.Len))
					if b.Off%align != 0 {
						t.Fatalf("a buffer begins at element %d", b.Off)
					}
				}
				if !disjoint(lent) || a.Lent() != bytes {
					t.Fatalf("seed %d: loans overlap, or are not the %d bytes that the arena says", seed, a.Lent())
				}
			})
			if a.Lent() != 0 || len(a.f32.blocks) > 1 || len(a.i32.blocks) > 1 {
				t.Errorf("all is back, but %d bytes are lent from %d blocks", a.Lent(), len(a.f32.blocks))
			}
		}
	}
}

func TestADryRunTellsExactlyWhatToReserve(t *testing.T) {
	for seed := range uint64(20) {
		plan := NewArena(dry.New(false))
		if err := plan.Reserve(Unbounded); err != nil {
			t.Fatal(err)
		}
		var want []int
		errand(t, plan, seed, 500, 100_000, func(lent []loan) { want = append(want, plan.places(lent)...) })
		dev := &counting{Device: dry.New(false)}
		a := NewArena(dev)
		if err := a.Reserve(plan.Used()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			var got []int
			errand(t, a, seed, 500, 100_000, func(lent []loan) { got = append(got, a.places(lent)...) })
			if !slices.Equal(got, want) {
				t.Errorf("seed %d: the reserved arena lends otherwise than the planned one", seed)
			}
		}
		if a.Peak() != plan.Used().Total() || dev.allocs != 2 || a.Used() != plan.Used() {
			t.Errorf("seed %d: planned %v, took %d bytes in %d allocations", seed, plan.Used(), a.Peak(), dev.allocs)
		}
	}
}

func TestAnArenaMakesNoGarbage(t *testing.T) {
	a := NewArena(dry.New(false))
	var held [8]accelerators.Buffer
	step := func() {
		for i := range held {
			held[i], _ = a.lend(end(i%2), accelerators.F32, 100*(i+1))
		}
		for _, i := range []int{1, 6, 3, 0, 2, 7, 5, 4} {
			a.Put(held[i])
		}
	}
	if n := testing.AllocsPerRun(10, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestFreedMemoryIsLentAgainFromTheSmallestGapThatFits(t *testing.T) {
	a := NewArena(dry.New(false))
	var all []accelerators.Buffer
	for _, n := range []int{64, 16, 32, 16, 48, 16} {
		b, err := a.Get(accelerators.F32, n)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	for _, i := range []int{0, 2, 4} {
		a.Put(all[i])
	}
	for _, want := range []struct{ n, off int }{
		{20, all[2].Off}, {40, all[4].Off}, {16, 0}, {48, 16}, {16, all[5].Off + 16},
	} {
		if b, err := a.Get(accelerators.F32, want.n); err != nil || b.Off != want.off {
			t.Errorf("%d elements lie at %d, want %d (%v)", want.n, b.Off, want.off, err)
		}
	}
}

func TestAReturnToTheWrongArenaIsABug(t *testing.T) {
	a, b := NewArena(dry.New(false)), NewArena(dry.New(false))
	x, err := a.Get(accelerators.F32, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("another arena took the buffer back")
		}
	}()
	b.Put(x)
}
