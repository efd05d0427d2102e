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

// split runs r over [0, n) in blocks of step items.
func (d *Device) split(n, step int, r ranger) (count int) {
	count = (n + step - 1) / step
	d.ranges = ranges{r, n, step}
	d.pool.run(count, &d.ranges)
	return count
}

// each runs r over [0, n) in blocks; weight is the work of one item. The blocks depend on n and weight only.
func (d *Device) each(n, weight int, r ranger) { d.split(n, max(1, blockWork/max(1, weight)), r) }

// maxParts bounds the partial sums of a reduction over rows.
const maxParts = 32

// partStep is the length of the parts of a reduction over n rows.
func partStep(n int) int { return max(8, (n+maxParts-1)/maxParts) }

// parts runs r over [0, n) in at most maxParts blocks of partStep rows, the last may be shorter. Each block has a
// partial result of its own, number lo/step, to be summed in order.
func (d *Device) parts(n int, r ranger) (count, step int) {
	step = partStep(n)
	return d.split(n, step, r), step
}

// columnStrip is the least width of the blocks of columns runs; a few cache lines.
const columnStrip = 64

// columns runs r over blocks of the columns of a matrix. It is for sums over rows in which each column's is a sequence
// of its own, so that the blocks need not be the same for any number of threads.
func (d *Device) columns(rows, width int, r ranger) {
	strip := width
	if rows*width > blockWork {
		share := (width + d.pool.threads - 1) / d.pool.threads
		strip = max(columnStrip, (share+columnStrip-1)/columnStrip*columnStrip)
	}
	d.split(width, max(1, strip), r)
}

// row is row t of a matrix.
func row(x []float32, t, width int) []float32 { return x[t*width : (t+1)*width : (t+1)*width] }
