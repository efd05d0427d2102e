package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// batchBytes is what the records of one batch take at most, unless one record alone takes more. A module's request and
// what it is copied from lie in a second-level cache together; a call of a process costs more than the cache saves.
func batchBytes(transport string) int {
	if transport == TransportProcess {
		return 2 << 20
	}
	return 512 << 10
}

// asking is one call of ask.
type asking[In, Out any] struct {
	*method[In, Out]
	plugin  *Plugin
	columns []wire.Column
	in      []In
	out     []Out
	first   uint64 // number of the first record
}

// ask gets one answer for each record, in order. Batches run at once on as many instances as there are.
func ask[In, Out any](ctx context.Context, p *Plugin, m method[In, Out], in []In) ([]Out, error) {
	if !slices.Contains(p.info.Manifest.Kinds, m.of) {
		return nil, fmt.Errorf("plugin %s: %s is not a %s (it is: %v)",
			p.name, p.info.Manifest.Name, m.of, p.info.Manifest.Kinds)
	}
	if p.stateful() {
		p.order.Lock()
		defer p.order.Unlock()
	}
	if p.lost.Load() {
		return nil, fmt.Errorf("plugin %s: %w", p.name, ErrStateLost)
	}
	if err := p.faults.exceeded(); err != nil {
		return nil, fmt.Errorf("plugin %s: %w", p.name, err)
	}
	a := &asking[In, Out]{
		method: &m, plugin: p, columns: wire.ColumnsOf(m.kind, p.info.Manifest.Columns), in: in, out: make([]Out, len(in)),
		first: p.records.Add(uint64(len(in))) - uint64(len(in)),
	}
	if err := a.all(ctx); err != nil {
		p.lost.Store(p.stateful()) // it has seen a part of the records, nobody knows which
		return nil, fmt.Errorf("plugin %s: %w", p.name, err)
	}
	return a.out, nil
}

// all runs the batches. The first error ends the others.
func (a *asking[In, Out]) all(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ends := a.split()
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(a.plugin.pool.size, len(ends)) {
		workers.Go(func() {
			c := a.plugin.newCaller(ctx)
			defer c.stop()
			for i := int(next.Add(1)) - 1; i < len(ends) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				from := 0
				if i > 0 {
					from = ends[i-1]
				}
				if err := a.rows(c, from, ends[i], true); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// split returns where batches end.
func (a *asking[In, Out]) split() (ends []int) {
	from, bytes, most := 0, 0, batchBytes(a.plugin.info.Transport)
	for i := range a.in {
		size := a.size(&a.in[i])
		if i > from && (i-from >= a.plugin.limits.Batch || bytes+size > most) {
			ends = append(ends, i)
			from, bytes = i, 0
		}
		bytes += size
	}
	if len(a.in) > 0 {
		ends = append(ends, len(a.in))
	}
	return ends
}

// rows answers the records from to before to. A batch that fails is halved until the records that are to blame stand
// alone.
func (a *asking[In, Out]) rows(c *caller, from, to int, whole bool) error {
	answers, err := a.once(c, from, to)
	var start startError
	var unsent unsentError
	switch {
	case err == nil:
		copy(a.out[from:to], answers)
		return a.count(from, to)
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case errors.As(err, &start), errors.Is(err, errClosed):
		return err
	case a.plugin.stateful() && !errors.As(err, &unsent):
		return fmt.Errorf("%w: records %s to %s: %w", ErrStateLost, a.name(&a.in[from]), a.name(&a.in[to-1]), err)
	case to-from == 1 && whole && mayBeChance(err):
		return a.rows(c, from, to, false)
	case to-from == 1:
		a.out[from] = a.fault(err.Error())
		return a.count(from, to)
	}
	middle := from + (to-from)/2
	if err := a.rows(c, from, middle, false); err != nil {
		return err
	}
	return a.rows(c, middle, to, false)
}

// mayBeChance tells whether a failure need not be the record's fault: an instance may have died before it got the
// record.
func mayBeChance(err error) bool {
	var sure interface{ certain() }
	return !errors.As(err, &sure)
}

// An unsentError says that records do not fit a frame. The plugin has not seen them.
type unsentError struct{ error }

// The failures that another try would repeat.
func (unsentError) certain()   {}
func (reportedError) certain() {}
func (deadlineError) certain() {}
func (fuelError) certain()     {}
func (depthError) certain()    {}

// once asks an instance for the records from to before to.
func (a *asking[In, Out]) once(c *caller, from, to int) (answers []Out, err error) {
	batch := a.first + uint64(from)
	err = c.call(func(ctx context.Context, inst instance) error {
		frame, err := a.encode(c.builderFor(inst), batch, a.columns, a.in[from:to])
		if err != nil {
			return unsentError{err}
		}
		answer, err := inst.run(ctx, a.kind, frame)
		if err == nil {
			answers, err = a.read(answer, batch, to-from)
		}
		return err
	})
	return answers, err
}

// read checks an answer.
func (a *asking[In, Out]) read(answer []byte, batch uint64, rows int) ([]Out, error) {
	f, err := wire.Parse(answer)
	switch {
	case err != nil:
		return nil, fmt.Errorf("malformed answer: %w", err)
	case f.Rows != rows:
		return nil, fmt.Errorf("malformed answer: %d rows for %d records", f.Rows, rows)
	case f.Batch != batch:
		return nil, fmt.Errorf("malformed answer: it answers batch %d, not %d", f.Batch, batch)
	}
	answers, err := a.decode(f)
	if err != nil {
		return nil, fmt.Errorf("malformed answer: %w", err)
	}
	return answers, nil
}

// count logs the faulty answers and fails when there are too many in the plugin's life.
func (a *asking[In, Out]) count(from, to int) error {
	for i := from; i < to; i++ {
		status, why := a.status(&a.out[i])
		if status != sdk.Fault {
			continue
		}
		a.plugin.log.Warn("fault", "record", a.name(&a.in[i]), "why", why)
		if err := a.plugin.faults.add(a.name(&a.in[i]), why); err != nil {
			return err
		}
	}
	return nil
}

// flush asks the one instance of a stateful filter for the postponed verdicts.
func (p *Plugin) flush(ctx context.Context) (verdicts []sdk.Verdict, err error) {
	if p.lost.Load() {
		return nil, ErrStateLost
	}
	c := p.newCaller(ctx)
	defer c.stop()
	err = c.call(func(ctx context.Context, inst instance) error {
		answer, err := inst.flush(ctx, wire.Dialogues)
		if err != nil {
			return err
		}
		f, err := wire.Parse(answer)
		if err == nil {
			verdicts, err = p.tables.DecodeVerdicts(f)
		}
		if err != nil {
			return fmt.Errorf("malformed answer: %w", err)
		}
		return nil
	})
	for i := range verdicts {
		if verdicts[i].Action == sdk.Later {
			verdicts[i] = wire.FaultyVerdict("the plugin postpones its verdict again")
		}
	}
	return verdicts, err
}
