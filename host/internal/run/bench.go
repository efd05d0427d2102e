package run

import (
	"context"
	"fmt"

	"github.com/carebot-llm/carebot/sdk"
)

// A bench is the reward model that judges a stage, batch by batch. At the border of two batches another may take over:
// one that the stage's ledger has there, or one that was asked for and has judged beside it for a while.
type bench struct {
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

// A shadow is a reward model that judges beside the one on the bench and is to take its place.
type shadow struct {
	*openedPlugin
	order   *order
	digest  string
	contest contest
	batches int
}

// openBench opens the reward model that judges the records from done on. The caller closes it.
func (p *Process) openBench(ctx context.Context, s seat, done, total int) (b *bench, err error) {
	b = &bench{Process: p, seat: s, done: done, total: total}
	for _, swap := range p.ledger[s.stage].Swaps {
		if swap.Step == s.step {
			b.swaps = append(b.swaps, swap)
		}
	}
	if b.due() {
		b.judge, err = p.openSwap(ctx, b.swaps[b.taken-1])
	} else {
		b.judge, err = p.openPlugin(ctx, s.plugin)
	}
	if err != nil {
		return nil, err
	}
	p.control.begin(s)
	return b, nil
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
func (b *bench) next(ctx context.Context, size int) (end int, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if b.due() {
		judge, err := b.openSwap(ctx, b.swaps[b.taken-1])
		if err == nil {
			err = b.replace(judge)
		}
		if err != nil {
			return 0, err
		}
	}
	if end = min(b.done+size, b.total); b.taken < len(b.swaps) {
		return min(end, b.swaps[b.taken].At), nil // who is asked for now comes after those of the ledger
	}
	return end, b.border(ctx)
}

// due passes over the ledger's swaps up to the next record and reports whether there was one.
func (b *bench) due() bool {
	before := b.taken
	for b.taken < len(b.swaps) && b.swaps[b.taken].At <= b.done {
		b.taken++
	}
	return b.taken > before
}

// replace closes the judge and puts another in its place.
func (b *bench) replace(judge *openedPlugin) error {
	old := b.judge
	b.judge, b.rewards = judge, mean{}
	return closing(old, nil)
}

// border heeds who is asked for: it becomes the shadow, and the judge when it has been that long enough.
func (b *bench) border(ctx context.Context) error {
	o := b.control.ordered(b.seat)
	if b.shadow != nil && b.shadow.order != o {
		b.dismiss(errWithdrawn)
	}
	if o == nil {
		return nil
	}
	if b.shadow == nil {
		b.admit(ctx, o)
	}
	if b.shadow == nil || b.shadow.batches < o.batches {
		return nil
	}
	return b.takeOver(ctx)
}

// admit opens who is asked for. That it does not open is the caller's problem, not the stage's.
func (b *bench) admit(ctx context.Context, o *order) {
	opened, digest, err := b.openAlternative(ctx, o.alternative)
	if err != nil {
		b.control.end(o, Reply{Error: err.Error()})
		return
	}
	b.shadow = &shadow{openedPlugin: opened, order: o, digest: digest}
	b.log.Info("a reward judges in the shadow", "stage", b.seat.stage, "plugin", b.seat.plugin, "record", b.done,
		"batches", o.batches)
}

// takeOver makes the shadow the judge. It is written down before it judges.
func (b *bench) takeOver(ctx context.Context) error {
	s := b.shadow
	swap := Swap{Plugin: b.seat.plugin, Step: b.seat.step, At: b.done, Entry: s.order.entry(), Digest: s.digest}
	if s.batches > 0 {
		swap.Shadow = s.contest.result()
	}
	if err := b.recordSwap(ctx, b.seat.stage, swap); err != nil {
		return err
	}
	b.swaps, b.taken, b.shadow = append(b.swaps, swap), b.taken+1, nil
	b.control.end(s.order, Reply{Stage: b.seat.stage, Swapped: &swap})
	b.log.Info("the reward was swapped", "stage", b.seat.stage, "plugin", b.seat.plugin, "record", b.done,
		"sha256", s.Digest())
	return b.replace(s.openedPlugin)
}

// dismiss sends the shadow away.
func (b *bench) dismiss(why error) {
	if b.shadow == nil {
		return
	}
	if err := closing(b.shadow.openedPlugin, nil); err != nil {
		b.log.Warn("close the shadow", "plugin", b.seat.plugin, "error", err)
	}
	b.control.end(b.shadow.order, Reply{Error: why.Error()})
	b.shadow = nil
}

// reward judges the samples of a batch, so many of each record.
func (b *bench) reward(ctx context.Context, samples []sdk.Sample, counts []int) ([]sdk.Judgement, error) {
	judgements, err := b.judge.Reward(ctx, samples)
	if err != nil {
		return nil, err
	}
	for _, j := range judgements {
		if j.Status == sdk.OK {
			b.rewards.add(j.Reward)
		}
	}
	if b.shadow != nil {
		b.compare(ctx, samples, judgements, counts)
	}
	return judgements, nil
}

// compare lets the shadow judge as well. That it fails is no problem of the stage's.
func (b *bench) compare(ctx context.Context, samples []sdk.Sample, judgements []sdk.Judgement, counts []int) {
	theirs, err := b.shadow.Reward(ctx, samples)
	if err != nil {
		b.dismiss(err)
		return
	}
	from := 0
	for _, n := range counts {
		b.shadow.contest.add(judgements[from:from+n], theirs[from:from+n])
		from += n
	}
	b.shadow.batches++
	b.control.tell(b.shadow.order, Reply{
		Stage: b.seat.stage, Batch: b.shadow.batches, Agreement: b.shadow.contest.result(),
	})
}

// close ends the session: a shadow whose time was not over does not take the place.
func (b *bench) close(err error) error {
	b.dismiss(fmt.Errorf("stage %s ended, or was stopped, before the shadow's batches were over: nothing was swapped",
		b.seat.stage))
	b.control.leave(b.seat)
	return closing(b.judge, err)
}
