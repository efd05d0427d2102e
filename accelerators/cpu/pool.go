package cpu

import (
	"context"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

// idleSpin is how long a worker without work watches for more before it parks. Waking a parked thread takes 10 to 100
// microseconds, as long as many operations; an idle device must not burn a core either.
const idleSpin = 150 * time.Microsecond

// lateSpin is how long the caller spins for the last blocks, lateSleep how long it then sleeps at a time.
const (
	lateSpin  = time.Millisecond
	lateSleep = 50 * time.Microsecond
)

// A task is work in numbered blocks. Operations keep theirs in the device, so that running one allocates nothing.
type task interface{ block(worker, i int) }

// A pool is a set of goroutines that run the blocks of one task after the other. The caller of run is worker 0 and
// takes blocks itself, so a worker that is parked delays nothing.
type pool struct {
	threads int
	op      context.Context // labels of the operation that the caller is at
	task    task            // of the current generation; written only while nobody is inside
	label   context.Context // and its labels
	blocks  int64
	next    atomic.Int64
	done    atomic.Int64
	inside  atomic.Int64 // workers that may read task and blocks, or run a block
	current atomic.Int64 // generation: odd while a task runs, even between tasks; closed tells the workers to end
	parked  atomic.Int32
	mu      sync.Mutex
	wake    *sync.Cond
}

const closed = -1

func newPool(threads int) *pool {
	p := &pool{threads: threads, op: noLabels}
	p.wake = sync.NewCond(&p.mu)
	for w := 1; w < threads; w++ {
		go p.work(w)
	}
	return p
}

// run runs every block in [0, blocks), on all workers, and returns when all are done. A worker runs one block at a
// time; which one runs which block is not determined. All of them carry the operation's labels meanwhile, and none
// after.
func (p *pool) run(blocks int, t task) {
	pprof.SetGoroutineLabels(p.op)
	defer pprof.SetGoroutineLabels(noLabels)
	if blocks <= 1 || p.threads == 1 {
		for b := range blocks {
			t.block(0, b)
		}
		return
	}
	await(func() bool { return p.inside.Load() == 0 }) // a worker that came late to the task before is about to leave
	p.task, p.label, p.blocks = t, p.op, int64(blocks)
	p.next.Store(0)
	p.done.Store(0)
	p.publish(p.current.Load() + 1)
	p.take(0)
	await(func() bool { return p.done.Load() == p.blocks })
	p.current.Add(1)
}

// await returns when the condition holds. If that takes long, the worker that is late has lost its processor to
// something else, and spinning on would only keep it away.
func await(holds func() bool) {
	var start time.Time
	for turn := 1; !holds(); turn++ {
		relax(turn)
		switch {
		case turn == 64:
			start = time.Now()
		case turn%64 == 0 && time.Since(start) > lateSpin:
			time.Sleep(lateSleep)
		}
	}
}

func (p *pool) close() { p.publish(closed) }

func (p *pool) publish(generation int64) {
	p.current.Store(generation)
	if p.parked.Load() > 0 {
		p.mu.Lock()
		p.wake.Broadcast()
		p.mu.Unlock()
	}
}

func (p *pool) take(worker int) {
	for b := p.next.Add(1) - 1; b < p.blocks; b = p.next.Add(1) - 1 {
		p.task.block(worker, int(b))
		p.done.Add(1)
	}
}

func (p *pool) work(worker int) {
	for seen := int64(0); ; {
		seen = p.await(seen)
		if seen == closed {
			return
		}
		p.enter(worker, seen)
	}
}

// enter takes blocks of the generation, unless it is over. Once a worker is inside and the generation still runs, the
// next one waits.
func (p *pool) enter(worker int, generation int64) {
	p.inside.Add(1)
	if p.current.Load() == generation {
		pprof.SetGoroutineLabels(p.label)
		p.take(worker)
		pprof.SetGoroutineLabels(noLabels)
	}
	p.inside.Add(-1)
}

// begun reports whether a task runs that a worker has not seen, or the pool is closed.
func begun(generation, seen int64) bool { return generation&1 == 1 && generation != seen }

// await returns the running generation when it is another than the one seen.
func (p *pool) await(seen int64) int64 {
	start := time.Now()
	for turn := 1; ; turn++ {
		if g := p.current.Load(); begun(g, seen) {
			return g
		}
		relax(turn)
		if turn%64 == 0 && time.Since(start) > idleSpin {
			return p.park(seen)
		}
	}
}

func (p *pool) park(seen int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parked.Add(1)
	defer p.parked.Add(-1)
	for {
		if g := p.current.Load(); begun(g, seen) {
			return g
		}
		p.wake.Wait()
	}
}

// relax passes a moment of waiting: mostly within the processor, now and then by letting other goroutines run.
func relax(turn int) {
	if turn%128 == 0 {
		runtime.Gosched()
		return
	}
	pause()
}
