package serve

import (
	"slices"
	"sync"

	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// A batcher is the goroutine that steps an engine as long as there are sequences. They come and go between steps.
type batcher struct {
	served  *eval.Served
	engine  *model.Engine
	room    int
	metrics *modelMetrics
	ended   sync.WaitGroup

	mu     sync.Mutex
	change *sync.Cond // a sequence comes or goes, or the batcher is to end
	come   []*growing
	gone   []*growing
	grows  []*growing // those of the engine; the goroutine's own
	closed bool
	usage  model.Usage // after the last step
}

// A growing sequence tells once why no more tokens will come, if not by its last token.
type growing struct {
	*model.Sequence
	fail func(error)
}

// newBatcher starts a batcher with so much memory for keys and values.
func newBatcher(served *eval.Served, memory int64, metrics *modelMetrics) (*batcher, error) {
	b := &batcher{served: served, metrics: metrics}
	b.change = sync.NewCond(&b.mu)
	err := served.Use(func(m *model.Model) (err error) {
		b.engine, err = m.NewEngine(m.PagesIn(memory))
		return err
	})
	if err != nil {
		return nil, err
	}
	b.room, b.usage = b.engine.Room(), b.engine.Usage()
	b.ended.Add(1)
	go b.run()
	return b, nil
}

// add hands over a sequence that fits the engine.
func (b *batcher) add(g *growing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.come = append(b.come, g)
	b.change.Signal()
}

// remove ends a sequence. Its tokens may still come until the step that runs has ended.
func (b *batcher) remove(g *growing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone = append(b.gone, g)
	b.change.Signal()
}

// close ends the goroutine and all sequences.
func (b *batcher) close() {
	b.mu.Lock()
	b.closed = true
	b.change.Signal()
	b.mu.Unlock()
	b.ended.Wait()
}

func (b *batcher) load() model.Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.usage
	u.Waiting += len(b.come)
	return u
}

func (b *batcher) run() {
	defer b.ended.Done()
	for b.await() {
		usage, err := b.step()
		b.mu.Lock()
		b.usage = usage
		b.mu.Unlock()
		if err != nil {
			b.abandon(err)
		}
	}
	b.abandon(errEnded)
	b.served.Use(func(*model.Model) error {
		b.engine.Close()
		return nil
	})
}

// await returns when there is something to do, or reports false when the batcher is to end.
func (b *batcher) await() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.closed && len(b.come)+len(b.gone) == 0 && b.engine.Idle() {
		b.change.Wait()
	}
	return !b.closed
}

// step lets sequences in and out and runs a step.
func (b *batcher) step() (usage model.Usage, err error) {
	b.mu.Lock()
	come, gone := b.come, b.gone
	b.come, b.gone = nil, nil
	b.mu.Unlock()
	err = b.served.Use(func(*model.Model) error {
		for _, g := range come {
			if err := b.engine.Add(g.Sequence); err != nil {
				g.fail(err)
				continue
			}
			b.grows = append(b.grows, g)
		}
		for _, g := range gone {
			b.engine.Remove(g.Sequence)
			b.grows = slices.DeleteFunc(b.grows, func(other *growing) bool { return other == g })
		}
		err := b.engine.Step()
		usage = b.engine.Usage()
		return err
	})
	b.metrics.batch.Observe(float64(usage.Running))
	return usage, err
}

// abandon ends all sequences with an error.
func (b *batcher) abandon(err error) {
	b.mu.Lock()
	all := append(b.grows, b.come...)
	b.grows, b.come, b.gone = nil, nil, nil
	b.mu.Unlock()
	b.served.Use(func(*model.Model) error {
		for _, g := range all {
			b.engine.Remove(g.Sequence)
		}
		return nil
	})
	for _, g := range all {
		g.fail(err)
	}
}
