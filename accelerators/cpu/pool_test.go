package cpu

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// taskFunc is a task that is not kept.
type taskFunc func(worker, i int)

func (f taskFunc) block(worker, i int) { f(worker, i) }

func TestEveryBlockRunsOnce(t *testing.T) {
	p := newPool(4)
	defer p.close()
	for round := range 2000 {
		blocks := round % 37
		ran := make([]atomic.Int32, blocks)
		p.run(blocks, taskFunc(func(_, block int) { ran[block].Add(1) }))
		for b := range ran {
			if n := ran[b].Load(); n != 1 {
				t.Fatalf("block %d of %d ran %d times", b, blocks, n)
			}
		}
	}
}

func TestAWorkerRunsOneBlockAtATime(t *testing.T) {
	p := newPool(3)
	defer p.close()
	var busy [3]atomic.Int32
	p.run(3000, taskFunc(func(worker, _ int) {
		if busy[worker].Add(1) != 1 {
			t.Errorf("worker %d has two blocks", worker)
		}
		busy[worker].Add(-1)
	}))
}

// eventually waits for a state that other goroutines reach on their own.
func eventually(t *testing.T, what string, reached func() bool) {
	t.Helper()
	for range 2000 {
		if reached() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s: not within ten seconds", what)
}

func TestIdleWorkersParkAndWakeAgain(t *testing.T) {
	p := newPool(3)
	defer p.close()
	for range 3 {
		eventually(t, "all workers parked", func() bool { return p.parked.Load() == 2 })
		var waiting atomic.Int32
		p.run(3, taskFunc(func(_, _ int) { // no block ends before all have begun: each needs a worker of its own
			waiting.Add(1)
			for waiting.Load() < 3 {
				runtime.Gosched()
			}
		}))
	}
}

func TestClosedPoolHasNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	p := newPool(5)
	p.run(100, taskFunc(func(_, _ int) {}))
	p.close()
	eventually(t, "goroutines ended", func() bool { return runtime.NumGoroutine() <= before })
}
