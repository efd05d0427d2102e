//go:build cuda

package cuda

import (
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/accelerators/cuda/driver"
)

const (
	graphSteps = 8  // of fewer a graph is not made
	mostGraphs = 32 // that are kept
)

// A unit is the work that Together collects: steps, and the words of all of them one after the other.
type unit struct {
	open  bool
	steps []step
	ends  []int // of each step's words
	words []uint64
}

func (u *unit) add(s step, words []uint64) {
	u.steps = append(u.steps, s)
	u.words = append(u.words, words...)
	u.ends = append(u.ends, len(u.words))
}

func (u *unit) clear() {
	clear(u.steps)
	u.steps, u.ends, u.words = u.steps[:0], u.ends[:0], u.words[:0]
}

// equal reports whether two units are the same work.
func (u *unit) equal(v *unit) bool {
	return slices.Equal(u.ends, v.ends) && slices.Equal(u.words, v.words) && slices.EqualFunc(u.steps, v.steps,
		func(a, b step) bool { return a.name == b.name && a.kernel == b.kernel && a.shape == b.shape })
}

// A known unit has come before. The second time it becomes a graph, unless the driver refuses.
type known struct {
	unit    unit
	graph   *driver.Graph
	refused bool
}

// Together calls work, collects the kernels that it launches and issues them when it returns, or when an upload, a
// download or Sync within it needs them. What was issued so is remembered, and when the very same comes again it is
// recorded as a graph, whose launch from then on takes the place of the single ones.
func (d *Device) Together(work func()) {
	if d.unit.open {
		work()
		return
	}
	d.unit.open = true
	defer func() {
		d.flush()
		d.unit.open = false
	}()
	work()
}

// alone calls work, which uses the stream by itself in the middle of a unit.
func (d *Device) alone(work func()) {
	d.flush()
	open := d.unit.open
	d.unit.open = false
	work()
	d.unit.open = open
}

// flush issues what the running unit has collected.
func (d *Device) flush() {
	u := &d.unit
	if len(u.steps) == 0 {
		return
	}
	defer u.clear()
	if d.err != nil {
		return
	}
	defer d.enter()()
	if len(u.steps) < graphSteps {
		d.note(d.issueAll(), "launch")
	} else {
		d.repeat(d.recall(u))
	}
}

// recall finds a unit among those that have come before and makes it the latest. One that is new is only remembered.
func (d *Device) recall(u *unit) (k *known, again bool) {
	i := slices.IndexFunc(d.units, func(k *known) bool { return k.unit.equal(u) })
	if again = i >= 0; again {
		k = d.units[i]
		d.units = slices.Delete(d.units, i, i+1)
	} else {
		k = &known{unit: unit{steps: slices.Clone(u.steps), ends: slices.Clone(u.ends), words: slices.Clone(u.words)}}
		for i := range k.unit.steps {
			k.unit.steps[i].issue = nil // what it holds on to is not needed to compare
		}
	}
	if len(d.units) == mostGraphs {
		d.drop(d.units[0])
		d.units = slices.Delete(d.units, 0, 1)
	}
	d.units = append(d.units, k)
	return k, again
}

func (d *Device) repeat(k *known, again bool) {
	if again && k.graph == nil && !k.refused {
		graph, err := driver.Record(d.stream, d.issueAll)
		k.graph, k.refused = graph, err != nil
	}
	if k.graph != nil {
		err := k.graph.Launch(d.stream)
		d.repeated++
		if err == nil || driver.Lost(err) {
			d.note(err, "launch a graph")
			return
		}
		d.drop(k) // for which there is no memory, say
		k.graph, k.refused = nil, true
	}
	d.note(d.issueAll(), "launch")
}

// Repeated is how many units have been launched as graphs so far.
func (d *Device) Repeated() int { return d.repeated }

func (d *Device) drop(k *known) {
	if k.graph != nil {
		d.note(k.graph.Destroy(), "give up a graph")
	}
}

// issueAll issues the unit's steps up to the first that fails.
func (d *Device) issueAll() error {
	begin := 0
	for i := range d.unit.steps {
		s := &d.unit.steps[i]
		if err := d.issue(s, d.unit.words[begin:d.unit.ends[i]]); err != nil {
			return fmt.Errorf("%s: %w", s.name, driver.Of(err))
		}
		begin = d.unit.ends[i]
	}
	return nil
}
