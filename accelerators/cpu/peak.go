package cpu

import (
	"time"

	"github.com/carebot-llm/carebot/accelerators"
)

// How the peak is measured: samples of a few milliseconds on all threads, of which the best counts, as something else
// may run in the others.
const (
	peakSamples = 10
	peakBlocks  = 6                // of each thread in a sample
	peakBlock   = time.Millisecond // what they are about to take
	peakDepth   = 256              // of the products: their operands stay in the first two levels of cache
	peakStream  = 16 << 20         // elements of each array: three times as many bytes as large caches have
)

// Peak measures what the product's kernels do on operands in the cache, and the bandwidth of STREAM's sum of two arrays
// (McCalpin 1995), all threads together. The first call takes about half a second.
func (d *Device) Peak() accelerators.Peak {
	if d.peak == (accelerators.Peak{}) {
		d.peak.F32 = d.peakOf(d.set.peakF32)
		d.peak.BF16 = d.peak.F32
		if d.set.peakBF16 != nil {
			d.peak.BF16 = d.peakOf(d.set.peakBF16)
		}
		d.peak.Bandwidth = d.bandwidth()
	}
	return d.peak
}

// peakTask is a block of rounds of products.
type peakTask struct {
	dev    *Device
	run    func(s *scratch, rounds int) (flops float64)
	rounds int
}

func (t *peakTask) block(worker, _ int) { t.run(&t.dev.scratch[worker], t.rounds) }

func (d *Device) peakOf(run func(s *scratch, rounds int) (flops float64)) float64 {
	run(&d.scratch[0], 1)
	start := time.Now()
	flops := run(&d.scratch[0], 1)
	t := &peakTask{d, run, 1 + int(peakBlock/max(1, time.Since(start)))}
	blocks := peakBlocks * d.pool.threads
	best := bestTime(func() { d.pool.run(blocks, t) })
	return flops * float64(t.rounds*blocks) / best.Seconds()
}

func bestTime(f func()) time.Duration {
	best := time.Duration(1<<63 - 1)
	for range peakSamples {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	return max(1, best)
}

// peakF32 runs rounds of whole tiles and returns the floating-point operations.
func (set *kernelSet) peakF32(s *scratch, rounds int) (flops float64) {
	a, b := s.floats(slotStrips, tileRows*peakDepth), s.floats(slotPanels, peakDepth*set.width)
	c := s.floats(slotTurned, tileRows*set.width)
	clear(a)
	clear(b)
	const tiles = 8 // enough that clearing does not count
	for range rounds * tiles {
		set.tile(peakDepth, a, 1, tileRows, b, c, set.width, tileRows, set.width, 1, false)
	}
	return 2 * tiles * tileRows * peakDepth * float64(rounds*set.width)
}

// sumTask adds arrays that no cache holds.
type sumTask struct {
	set     *kernelSet
	z, x, y []float32
}

func (t *sumTask) items(_, lo, hi int) { t.set.add(t.z[lo:hi], t.x[lo:hi], t.y[lo:hi]) }

func (d *Device) bandwidth() float64 {
	t := &sumTask{d.set, make([]float32, peakStream), make([]float32, peakStream), make([]float32, peakStream)}
	for _, x := range [][]float32{t.z, t.x, t.y} { // until they are written, pages are all the same one
		fill(x, 1)
	}
	best := bestTime(func() { d.each(peakStream, 1, t) })
	return 3 * 4 * peakStream / best.Seconds()
}
