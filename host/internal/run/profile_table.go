package run

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/meter"
)

// shapesShown is how many shapes of one op the table lists, such as the three products of each of a block's four
// weights. The others have one line together.
const shapesShown = 12

// little is the share of a step below which the shapes of an op are not told apart.
const little = 0.01

// A cost is what some of the calls took together.
type cost struct {
	name         string
	calls        int
	time         time.Duration
	flops, bytes float64
	ideal        float64 // seconds that the operations take at the device's peak
}

func (c *cost) add(o cost) {
	c.calls, c.time = c.calls+o.calls, c.time+o.time
	c.flops, c.bytes, c.ideal = c.flops+o.flops, c.bytes+o.bytes, c.ideal+o.ideal
}

// costs are sums by name.
type costs map[string]*cost

func (c costs) add(name string, o cost) {
	if c[name] == nil {
		c[name] = &cost{name: name}
	}
	c[name].add(o)
}

// sorted lists the costs, the longest first.
func (c costs) sorted() []*cost {
	var all []*cost
	for _, one := range c {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *cost) int {
		return cmp.Or(cmp.Compare(b.time, a.time), cmp.Compare(a.name, b.name))
	})
	return all
}

func (pr *profile) costOf(e meter.Event) cost {
	c := cost{calls: 1, time: e.Duration, flops: e.Flops, bytes: e.Bytes}
	if peak := peakOf(pr.peak, e.Compute); peak > 0 {
		c.ideal = e.Flops / peak
	}
	return c
}

func peakOf(p accelerators.Peak, t accelerators.DType) float64 {
	if t == accelerators.BF16 {
		return p.BF16
	}
	return p.F32
}

// table lists the ops, the longest first, each with its shapes; figures are means over the steps.
func (pr *profile) table() table {
	ops, shapes, all := costs{}, map[string]costs{}, cost{name: "all kernels"}
	for _, e := range pr.events {
		one := pr.costOf(e)
		all.add(one)
		ops.add(e.Op, one)
		if shapes[e.Op] == nil {
			shapes[e.Op] = costs{}
		}
		shapes[e.Op].add(pr.shape(e.Shape), one)
	}
	t := table{title: pr.title(), left: 2, header: []string{
		"op", "shape", "calls", "time", "of step", "GFLOP/s", "of peak", "GB/s", "of bandwidth"}}
	for _, op := range ops.sorted() {
		t.rows = append(t.rows, pr.opRows(op, shapes[op.name].sorted())...)
	}
	t.rows = append(t.rows, pr.row(all.name, "", &all))
	return t
}

// opRows are an op and its shapes; an op with one shape, or that takes little time, is one row.
func (pr *profile) opRows(op *cost, shapes []*cost) [][]string {
	switch {
	case len(shapes) == 1:
		return [][]string{pr.row(op.name, shapes[0].name, op)}
	case op.time.Seconds() < little*pr.seconds():
		return [][]string{pr.row(op.name, fmt.Sprintf("%d shapes", len(shapes)), op)}
	}
	rows := [][]string{pr.row(op.name, "", op)}
	others := cost{name: fmt.Sprintf("%d other shapes", len(shapes)-shapesShown+1)}
	for i, s := range shapes {
		if len(shapes) > shapesShown && i >= shapesShown-1 {
			others.add(*s)
			continue
		}
		rows = append(rows, pr.row("", s.name, s))
	}
	if others.calls > 0 {
		rows = append(rows, pr.row("", others.name, &others))
	}
	return rows
}

func (pr *profile) row(op, shape string, c *cost) []string {
	steps, seconds := float64(len(pr.steps)), c.time.Seconds()
	return []string{
		op, shape, fmt.Sprintf("%.4g", float64(c.calls)/steps), milliseconds(seconds / steps),
		percent(seconds / pr.seconds()), rate(c.flops, seconds), share(c.ideal, seconds), rate(c.bytes, seconds),
		share(c.bytes, seconds*pr.peak.Bandwidth),
	}
}

// milliseconds writes short times in microseconds.
func milliseconds(seconds float64) string {
	if seconds < 1e-3 {
		return fmt.Sprintf("%.1f µs", 1e6*seconds)
	}
	return fmt.Sprintf("%.2f ms", 1e3*seconds)
}

// rate is so many thousand millions a second; empty for none.
func rate(amount, seconds float64) string {
	if amount == 0 || seconds == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", amount/seconds/1e9)
}

// share is a part of a whole; empty for none and where the whole is not known.
func share(part, whole float64) string {
	if part == 0 || whole == 0 {
		return ""
	}
	return percent(part / whole)
}
