package plugin

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// window is how long a model request waits for others to share its batch while instances are still computing.
const window = 300 * time.Microsecond

// A broker gives the instances of a plugin the models that it is granted, and merges what they ask at the same time.
type broker struct {
	models  []*brokered // in the manifest's order, which numbers them
	running atomic.Int32
}

// newBroker binds the models that the manifest requests.
func newBroker(m sdk.Manifest, models map[string]sdk.Model) (*broker, error) {
	b := &broker{}
	for _, name := range requestedModels(&m) {
		model, ok := models[name]
		if !ok || model == nil {
			return nil, fmt.Errorf("models.%s: no model is there to bind", name)
		}
		b.models = append(b.models, newBrokered(name, model, &b.running))
	}
	return b, nil
}

// grants returns what instances are told of their models.
func (b *broker) grants() []wire.Grant {
	grants := make([]wire.Grant, len(b.models))
	for i, m := range b.models {
		grants[i] = wire.Grant{Name: m.name, Info: m.Info()}
	}
	return grants
}

// brokered is a model as the instances of a plugin see it. Time spent in it does not count against a call's deadline.
type brokered struct {
	name   string
	model  sdk.Model
	loglik queue[sdk.LogLikRequest, sdk.LogLik]
	score  queue[[]sdk.Turn, []float64]
	embed  queue[string, []float64]
}

func newBrokered(name string, m sdk.Model, running *atomic.Int32) *brokered {
	busy := new(sync.Mutex)
	return &brokered{
		name: name, model: m,
		loglik: queue[sdk.LogLikRequest, sdk.LogLik]{name: name, ask: m.LogLik, running: running, busy: busy},
		score:  queue[[]sdk.Turn, []float64]{name: name, ask: m.Score, running: running, busy: busy},
		embed:  queue[string, []float64]{name: name, ask: m.Embed, running: running, busy: busy},
	}
}

func (m *brokered) Info() sdk.ModelInfo { return m.model.Info() }

func (m *brokered) LogLik(ctx context.Context, requests []sdk.LogLikRequest) ([]sdk.LogLik, error) {
	return m.loglik.do(ctx, requests)
}

func (m *brokered) Score(ctx context.Context, texts [][]sdk.Turn) ([][]float64, error) {
	return m.score.do(ctx, texts)
}

func (m *brokered) Embed(ctx context.Context, texts []string) ([][]float64, error) {
	return m.embed.do(ctx, texts)
}

// A queue merges requests for one method of a model. While the model works, what comes in waits and goes in together.
type queue[Q, A any] struct {
	name    string
	ask     func(context.Context, []Q) ([]A, error)
	running *atomic.Int32 // instances that are in a call
	busy    *sync.Mutex   // held while the model works

	mu      sync.Mutex
	waiting []*ticket[Q, A]
}

// A ticket is one instance's request.
type ticket[Q, A any] struct {
	ctx     context.Context
	items   []Q
	answers []A
	err     error
	done    chan struct{}
}

// do asks and waits. The time of the call that the context belongs to stands still.
func (q *queue[Q, A]) do(ctx context.Context, items []Q) ([]A, error) {
	if len(items) == 0 {
		return nil, nil
	}
	m := meterOf(ctx)
	m.pause()
	defer m.resume()
	t := &ticket[Q, A]{ctx: ctx, items: items, done: make(chan struct{})}
	q.mu.Lock()
	q.waiting = append(q.waiting, t)
	n := len(q.waiting)
	q.mu.Unlock()
	switch {
	case n >= int(q.running.Load()):
		go q.serve()
	case n == 1:
		time.AfterFunc(window, q.serve)
	}
	select {
	case <-t.done:
		return t.answers, t.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// serve asks the model what waits.
func (q *queue[Q, A]) serve() {
	q.busy.Lock()
	defer q.busy.Unlock()
	q.mu.Lock()
	tickets := q.waiting
	q.waiting = nil
	q.mu.Unlock()
	if len(tickets) == 0 {
		return
	}
	if q.together(tickets) != nil && len(tickets) > 1 {
		for i := range tickets {
			q.together(tickets[i : i+1])
		}
	}
	for _, t := range tickets {
		close(t.done)
	}
}

// together asks for all tickets in one batch and hands out the answers. An error may be the fault of any of them.
func (q *queue[Q, A]) together(tickets []*ticket[Q, A]) error {
	ctx, cancel := whileWanted(tickets)
	defer cancel()
	var all []Q
	for _, t := range tickets {
		all = append(all, t.items...)
	}
	answers, err := q.ask(ctx, all)
	if err == nil && len(answers) != len(all) {
		err = fmt.Errorf("%d answers to %d requests", len(answers), len(all))
	}
	if err != nil {
		err = fmt.Errorf("model %s: %w", q.name, err)
	}
	for _, t := range tickets {
		if t.err = err; err == nil {
			t.answers, answers = answers[:len(t.items):len(t.items)], answers[len(t.items):]
		}
	}
	return err
}

// whileWanted returns a context that ends when the contexts of all tickets have.
func whileWanted[Q, A any](tickets []*ticket[Q, A]) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(tickets[0].ctx))
	var left atomic.Int32
	left.Store(int32(len(tickets)))
	stops := make([]func() bool, len(tickets))
	for i, t := range tickets {
		stops[i] = context.AfterFunc(t.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

var _ sdk.Model = (*brokered)(nil)
