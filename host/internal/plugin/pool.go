package plugin

import (
	"context"
	"errors"
	"sync"

	"github.com/carebot-llm/carebot/sdk/wire"
)

// An instance answers one call at a time. An answer is valid until the next call on the instance. The context of a call
// carries its meter; when it is cancelled the call returns soon, with context.Cause as its error.
type instance interface {
	run(ctx context.Context, kind wire.Kind, frame []byte) ([]byte, error)
	flush(ctx context.Context, kind wire.Kind) ([]byte, error)
	close()
}

// An engine starts instances of one plugin. It is safe for concurrent use.
type engine interface {
	start(ctx context.Context) (instance, error)
	close() error
}

// A settler is an instance that can be used again after a call that was broken off, or be used up by calls that were
// not. Settle makes it ready for the next call and tells whether it could. Other instances are discarded after a call
// that was broken off.
type settler interface{ settle(broken bool) bool }

// settle tells whether an instance is good for another call after one with the given outcome.
func settle(inst instance, err error) bool {
	broken := err != nil && breaks(err)
	if s, ok := inst.(settler); ok {
		return s.settle(broken)
	}
	return !broken
}

// breaks tells whether a failure leaves the instance in a state that nobody knows.
func breaks(err error) bool {
	var reported reportedError
	var unsent unsentError
	return !errors.As(err, &reported) && !errors.As(err, &unsent)
}

// A roomy is an instance that gives the memory that its requests are best written in.
type roomy interface{ roomForRequest() []byte }

// A reportedError is what the plugin itself says of a batch that failed. The instance is sound.
type reportedError struct{ text string }

func (e reportedError) Error() string { return e.text }

// A startError says that no instance could be started: no record is to blame.
type startError struct{ err error }

func (e startError) Error() string { return "start an instance: " + e.err.Error() }
func (e startError) Unwrap() error { return e.err }

// A pool keeps the instances that wait for work and starts more up to its size.
type pool struct {
	engine engine
	size   int
	slots  chan struct{} // one for each instance in use

	ctx    context.Context // of the pool's life
	cancel context.CancelFunc

	mu   sync.Mutex
	idle []instance

	end    sync.Once
	endErr error
}

func newPool(e engine, size int) *pool {
	p := &pool{engine: e, size: size, slots: make(chan struct{}, size)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// errClosed is the error of calls on a plugin that has been closed.
var errClosed = errors.New("the plugin is closed")

// acquire waits for an instance. It must be released.
func (p *pool) acquire(ctx context.Context) (instance, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-p.ctx.Done():
		return nil, errClosed
	}
	p.mu.Lock()
	if n := len(p.idle); n > 0 && p.ctx.Err() == nil {
		inst := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return inst, nil
	}
	p.mu.Unlock()
	inst, err := p.begin(ctx)
	if err != nil {
		<-p.slots
		return nil, err
	}
	return inst, nil
}

// begin starts an instance.
func (p *pool) begin(ctx context.Context) (instance, error) {
	if p.ctx.Err() != nil {
		return nil, errClosed
	}
	inst, err := p.engine.start(ctx)
	switch {
	case err == nil:
		return inst, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, startError{err}
}

// release gives an instance back. One that is not sound ends.
func (p *pool) release(inst instance, sound bool) {
	p.mu.Lock()
	keep := sound && p.ctx.Err() == nil
	if keep {
		p.idle = append(p.idle, inst)
	}
	p.mu.Unlock()
	if !keep {
		inst.close()
	}
	<-p.slots
}

// close ends the calls that run, waits for them, and ends all instances.
func (p *pool) close() error {
	p.end.Do(func() {
		p.cancel()
		for range p.size {
			p.slots <- struct{}{}
		}
		for _, inst := range p.idle {
			inst.close()
		}
		p.endErr = p.engine.close()
	})
	return p.endErr
}
