package run

import (
	"context"
	"fmt"

	"github.com/carebot-llm/carebot/sdk"
)

// A court is the reward model that judges a stage, batch by batch. At the border of two batches another may take over:
// one that the stage's ledger has there, or one that was asked for and has judged beside it for a while.
type court struct {
	*Process
	seat   seat
	judge  *openedPlugin
	shadow *shadow // nil unless one is asked for
	swaps  []Swap  // of the seat, by the ledger
	taken  int     // swaps that were carried out
	done   int     // records that were judged
	total  int

	rewards mean // of what the judge gave in this process
}

// A seat is the place of a reward model in a recipe.
type seat struct {
	stage  string
	step   int // of a curate stage, counted from 1
	plugin string
}

// A shadow is a reward model that judges beside the one of the court and is to take its place.
type shadow struct {
	*openedPlugin
	order   *order
	digest  string
	contest contest
	batches int
}

// openCourt opens the reward model that judges the records from done on. The caller closes it.
func (p *Process) openCourt(ctx context.Context, s seat, done, total int) (c *court, err error) {
	c = &court{Process: p, seat: s, done: done, total: total}
	for _, swap := range p.ledger[s.stage].Swaps {
		if swap.Step == s.step {
			c.swaps = append(c.swaps, swap)
		}
	}
	if c.due() {
		c.judge, err = p.openSwap(ctx, c.swaps[c.taken-1])
	} else {
		c.judge, err = p.openPlugin(ctx, s.plugin)
	}
	if err != nil {
		return nil, err
	}
	p.control.begin(s)
	return c, nil
}

// openSwap opens a reward model that took over before the process was stopped. It must be the same.
func (p *Process) openSwap(ctx context.Context, s Swap) (*openedPlugin, error) {
	a, err := p.alternative(s.Plugin, s.Entry)
	if err != nil {
		return nil, err
	}
	o, digest, err := p.openAlternative(ctx, a)
	if err == nil && digest != s.Digest {
		err = closing(o, fmt.Errorf("plugin or models have changed since: sha256 %s, now %s", s.Digest, digest))
	}
	if err != nil {
		return nil, fmt.Errorf("the reward that took over at record %d: %w", s.At, err)
	}
	return o, nil
}

// next ends a batch of at most size records that begins with the next one, after it has let others take over.
func (c *court) next(ctx context.Context, size int) (end int, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if c.due() {
		judge, err := c.openSwap(ctx, c.swaps[c.taken-1])
		if err == nil {
			err = c.replace(judge)
		}
		if err != nil {
			return 0, err
		}
	}
	if end = min(c.done+size, c.total); c.taken < len(c.swaps) {
		return min(end, c.swaps[c.taken].At), nil // an order waits until the swaps of the ledger are done
	}
	return end, c.border(ctx)
}

// due passes over the ledger's swaps up to the next record and reports whether there was one.
func (c *court) due() bool {
	before := c.taken
	for c.taken < len(c.swaps) && c.swaps[c.taken].At <= c.done {
		c.taken++
	}
	return c.taken > before
}

// replace closes the judge and puts another in its place.
func (c *court) replace(judge *openedPlugin) error {
	old := c.judge
	c.judge, c.rewards = judge, mean{}
	return closing(old, nil)
}

// border heeds who is asked for: it becomes the shadow, and the judge when it has been that long enough.
func (c *court) border(ctx context.Context) error {
	o := c.control.ordered(c.seat)
	if c.shadow != nil && c.shadow.order != o {
		c.dismiss(errWithdrawn)
	}
	if o == nil {
		return nil
	}
	if c.shadow == nil {
		c.admit(ctx, o)
	}
	if c.shadow == nil || c.shadow.batches < o.batches {
		return nil
	}
	return c.takeOver(ctx)
}

// admit opens who is asked for. That it does not open is the caller's problem, not the stage's.
func (c *court) admit(ctx context.Context, o *order) {
	opened, digest, err := c.openAlternative(ctx, o.alternative)
	if err != nil {
		c.control.end(o, Reply{Error: err.Error()})
		return
	}
	c.shadow = &shadow{openedPlugin: opened, order: o, digest: digest}
	c.log.Info("a reward judges in the shadow", "stage", c.seat.stage, "plugin", c.seat.plugin, "record", c.done,
		"batches", o.batches)
}

// takeOver makes the shadow the judge. It is written down before it judges.
func (c *court) takeOver(ctx context.Context) error {
	s := c.shadow
	swap := Swap{Plugin: c.seat.plugin, Step: c.seat.step, At: c.done, Entry: s.order.entry(), Digest: s.digest}
	if s.batches > 0 {
		swap.Shadow = s.contest.result()
	}
	if err := c.recordSwap(ctx, c.seat.stage, swap); err != nil {
		return err
	}
	c.swaps, c.taken, c.shadow = append(c.swaps, swap), c.taken+1, nil
	c.control.end(s.order, Reply{Stage: c.seat.stage, Swapped: &swap})
	c.log.Info("the reward was swapped", "stage", c.seat.stage, "plugin", c.seat.plugin, "record", c.done,
		"sha256", s.Digest())
	return c.replace(s.openedPlugin)
}

// dismiss sends the shadow away.
func (c *court) dismiss(why error) {
	if c.shadow == nil {
		return
	}
	if err := closing(c.shadow.openedPlugin, nil); err != nil {
		c.log.Warn("close the shadow", "plugin", c.seat.plugin, "error", err)
	}
	c.control.end(c.shadow.order, Reply{Error: why.Error()})
	c.shadow = nil
}

// reward judges the samples of a batch, so many of each record.
func (c *court) reward(ctx context.Context, samples []sdk.Sample, counts []int) ([]sdk.Judgement, error) {
	judgements, err := c.judge.Reward(ctx, samples)
	if err != nil {
		return nil, err
	}
	for _, j := range judgements {
		if j.Status == sdk.OK {
			c.rewards.add(j.Reward)
		}
	}
	if c.shadow != nil {
		c.compare(ctx, samples, judgements, counts)
	}
	return judgements, nil
}

// compare lets the shadow judge as well. That it fails is no problem of the stage's.
func (c *court) compare(ctx context.Context, samples []sdk.Sample, judgements []sdk.Judgement, counts []int) {
	theirs, err := c.shadow.Reward(ctx, samples)
	if err != nil {
		c.dismiss(err)
		return
	}
	from := 0
	for _, n := range counts {
		c.shadow.contest.add(judgements[from:from+n], theirs[from:from+n])
		from += n
	}
	c.shadow.batches++
	c.control.tell(c.shadow.order, Reply{
		Stage: c.seat.stage, Batch: c.shadow.batches, Agreement: c.shadow.contest.result(),
	})
}

// close ends the session: a shadow whose time was not over does not take the place.
func (c *court) close(err error) error {
	c.dismiss(fmt.Errorf("stage %s ended, or was stopped, before the shadow's batches were over: nothing was swapped",
		c.seat.stage))
	c.control.leave(c.seat)
	return closing(c.judge, err)
}
