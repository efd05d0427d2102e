package plugin

import (
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/sdk"
)

// The fuel that documents use is the same for every instance, and however its slices are cut.
func TestFuelDoesNotDependOnItsSlices(t *testing.T) {
	docs := texts(t, "en", 4<<10, 20)
	use := moduleOf(t, hostile)
	var used []int64
	for _, slice := range []int64{minSlice, 777_777, maxSlice} {
		s := spec(use)
		s.Workers = 1
		p := opened(t, s)
		p.pool.idle[0].(*moduleInstance).tank.slice = slice
		if _, err := p.Score(t.Context(), docs); err != nil {
			t.Fatal(err)
		}
		used = append(used, p.Usage().Fuel)
	}
	if used[0] == 0 || used[0] != used[1] || used[0] != used[2] {
		t.Errorf("the documents use %d", used)
	}
}

func TestUsageIsThatOfAllCalls(t *testing.T) {
	p := opened(t, strict(misbehaving(t).file(t)))
	if _, err := p.Score(t.Context(), documents("1", "2", "3")); err != nil {
		t.Fatal(err)
	}
	u := p.Usage()
	if u.Calls != 3 || u.Bytes != 3*(textAt+1) || u.Fuel%3 != 0 || u.Fuel == 0 || u.Memory != 8*pageSize {
		t.Errorf("usage %+v", u)
	}
	if u := opened(t, spec(fickle)).Usage(); u != (Usage{}) {
		t.Errorf("a built-in plugin has used %+v", u)
	}
}

// Memory never shrinks: an instance that has grown far is not used again, one that has grown within reason is.
func TestInstanceThatHasGrownIsReplaced(t *testing.T) {
	for pages, idle := range map[int64]int{100: 1, 900: 0} {
		p := opened(t, strict(misbehaving(t, number(pages), memoryGrow, drop).file(t)))
		ratings, err := p.Score(t.Context(), documents("x"))
		if err != nil || ratings[0].Status != sdk.OK {
			t.Fatalf("%v, %v", ratings, err)
		}
		if got := len(p.pool.idle); got != idle {
			t.Errorf("%d instances are left after growing by %d pages", got, pages)
		}
	}
}

// An instance that goes back to its snapshot is the one that it was: what the call left in memory is gone.
func TestInstanceGoesBackAfterAFault(t *testing.T) {
	frame := ratingsFrame(t, 1, 0.5)
	count := code(number(512), number(512), load32, number(1), add32, store32) // of calls
	trapped := code(number(512), load32, number(2), equal, when(unreachable))
	m := honest(frame)
	m.run = code(count, trapped, answered(frame))
	m.manifest = textOnly()
	s := strict(m.file(t))
	s.Workers = 1
	p := opened(t, s)
	inst := p.pool.idle[0]
	ratings, err := p.Score(t.Context(), documents("1", "2", "3"))
	if err != nil || statuses(ratings) != "ooo" {
		t.Fatalf("the second call on an instance traps, a new try does not: %v, %v", ratings, err)
	}
	if len(p.pool.idle) != 1 || p.pool.idle[0] != inst {
		t.Error("the instance was not used again")
	}
}

func TestPluginWithTooManyFaultsIsNotAskedAgain(t *testing.T) {
	s := strict(misbehaving(t, unreachable).file(t))
	s.Plugin.Limits.Faults = 4
	p := opened(t, s)
	_, err := p.Score(t.Context(), documents("x1", "x2", "x3", "x4", "x5", "x6"))
	wantError(t, err, "plugin subject: too many faulty records: 5, more than the limit of 4, so it is not asked again")
	if n := strings.Count(err.Error(), "unreachable"); n != remembered {
		t.Errorf("%d reasons: %v", n, err)
	}
	before := p.Usage().Calls
	_, err = p.Score(t.Context(), documents("good"))
	wantError(t, err, ErrTooManyFaults.Error())
	if p.Usage().Calls != before {
		t.Error("it is asked again")
	}
}
