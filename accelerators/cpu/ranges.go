package cpu

// blockWork is the work of one block in elements passed over; about five microseconds.
const blockWork = 16 << 10

// A ranger is work on the items [lo, hi) of a sequence of equal items.
type ranger interface{ items(worker, lo, hi int) }

// ranges is the task of a ranger: blocks of step items, of n in all.
type ranges struct {
	ranger
	n, step int
}

func (r *ranges) block(worker, i int) { r.items(worker, i*r.step, min(r.n, (i+1)*r.step)) }

// each runs r over [0, n) in blocks; weight is the work of one item. The blocks depend on n and weight only.
func (d *Device) each(n, weight int, r ranger) {
	d.ranges = ranges{r, n, max(1, blockWork/max(1, weight))}
	d.pool.run((n+d.ranges.step-1)/d.ranges.step, &d.ranges)
}

// maxParts bounds the partial sums of a reduction over rows.
const maxParts = 32

// parts runs r over [0, n) in at most maxParts blocks of equal length, the last may be shorter. Each block has a partial
// result of its own, number lo/step, to be summed in order.
func (d *Device) parts(n int, r ranger) (count, step int) {
	step = max(8, (n+maxParts-1)/maxParts)
	count = (n + step - 1) / step
	d.ranges = ranges{r, n, step}
	d.pool.run(count, &d.ranges)
	return count, step
}

// Transitional: the same with functions, each of which is an allocation.
type rangeFunc func(worker, lo, hi int)

func (f rangeFunc) items(worker, lo, hi int) { f(worker, lo, hi) }

func (d *Device) eachFunc(n, weight int, f func(worker, lo, hi int)) { d.each(n, weight, rangeFunc(f)) }

func (d *Device) partsFunc(n int, f func(worker, part, lo, hi int)) (count int) {
	step := max(8, (n+maxParts-1)/maxParts)
	count, _ = d.parts(n, rangeFunc(func(worker, lo, hi int) { f(worker, lo/step, lo, hi) }))
	return count
}

func (d *Device) runFunc(blocks int, f func(worker, i int)) { d.pool.run(blocks, taskFunc(f)) }
