package cpu

import (
	"runtime"
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

// A pool is a set of goroutines that run the blocks of one job after the other. The caller of run is worker 0 and
// takes blocks itself, so a worker that is parked or not scheduled delays nothing.
type pool struct {
	threads int
	current atomic.Pointer[job]
	parked  atomic.Int32
	mu      sync.Mutex
	wake    *sync.Cond
}

// A job is work in numbered blocks. Every job is a new object: a worker that comes late finds its blocks taken.
type job struct {
	do     func(worker, block int)
	blocks int64
	next   atomic.Int64
	done   atomic.Int64
	last   bool // tells the workers to end
}

func newPool(threads int) *pool {
	p := &pool{threads: threads}
	p.wake = sync.NewCond(&p.mu)
	p.current.Store(&job{})
	for w := 1; w < threads; w++ {
		go p.work(w, p.current.Load())
	}
	return p
}

// run calls do for every block in [0, blocks), on all workers, and returns when all are done. A worker runs one block
// at a time; which one runs which block is not determined.
func (p *pool) run(blocks int, do func(worker, block int)) {
	if blocks <= 1 || p.threads == 1 {
		for b := range blocks {
			do(0, b)
		}
		return
	}
	j := &job{do: do, blocks: int64(blocks)}
	p.publish(j)
	j.take(0)
	j.wait()
}

// wait returns when all blocks are done. If that takes long, the worker that is late has lost its processor to
// something else, and spinning on would only keep it away.
func (j *job) wait() {
	var start time.Time
	for turn := 1; j.done.Load() < j.blocks; turn++ {
		relax(turn)
		switch {
		case turn == 64:
			start = time.Now()
		case turn%64 == 0 && time.Since(start) > lateSpin:
			time.Sleep(lateSleep)
		}
	}
}

func (p *pool) close() { p.publish(&job{last: true}) }

func (p *pool) publish(j *job) {
	p.current.Store(j)
	if p.parked.Load() > 0 {
		p.mu.Lock()
		p.wake.Broadcast()
		p.mu.Unlock()
	}
}

func (j *job) take(worker int) {
	for b := j.next.Add(1) - 1; b < j.blocks; b = j.next.Add(1) - 1 {
		j.do(worker, int(b))
		j.done.Add(1)
	}
}

func (p *pool) work(worker int, seen *job) {
	for {
		seen = p.await(seen)
		if seen.last {
			return
		}
		seen.take(worker)
	}
}

// await returns the next job that is not seen.
func (p *pool) await(seen *job) *job {
	start := time.Now()
	for turn := 1; ; turn++ {
		if j := p.current.Load(); j != seen {
			return j
		}
		relax(turn)
		if turn%64 == 0 && time.Since(start) > idleSpin {
			return p.park(seen)
		}
	}
}

func (p *pool) park(seen *job) *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parked.Add(1)
	defer p.parked.Add(-1)
	for p.current.Load() == seen {
		p.wake.Wait()
	}
	return p.current.Load()
}

// relax passes a moment of waiting: mostly within the processor, now and then by letting other goroutines run.
func relax(turn int) {
	if turn%128 == 0 {
		runtime.Gosched()
		return
	}
	pause()
}

// blockWork is the work of one block in elements passed over; about five microseconds.
const blockWork = 16 << 10

// each runs f over [0, n) in blocks; weight is the work of one item. The blocks depend on n and weight only.
func (d *Device) each(n, weight int, f func(worker, lo, hi int)) {
	step := max(1, blockWork/max(1, weight))
	d.pool.run((n+step-1)/step, func(worker, block int) {
		f(worker, block*step, min(n, block*step+step))
	})
}

// maxParts bounds the partial sums of a reduction over rows.
const maxParts = 32

// parts runs f over [0, n) in at most maxParts blocks, of which each has a partial result of its own, to be summed in
// order.
func (d *Device) parts(n int, f func(worker, part, lo, hi int)) (count int) {
	step := max(8, (n+maxParts-1)/maxParts)
	count = (n + step - 1) / step
	d.pool.run(count, func(worker, part int) {
		f(worker, part, part*step, min(n, part*step+step))
	})
	return count
}
