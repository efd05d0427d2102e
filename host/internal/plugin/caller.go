package plugin

import (
	"context"
	"time"

	"github.com/carebot-llm/carebot/sdk/wire"
)

// A caller makes calls one after the other. What a call needs is kept for the next, so that calls allocate nothing.
type caller struct {
	plugin  *Plugin
	ctx     context.Context // that the calls belong to
	builder wire.Builder    // of the requests

	timed   context.Context // carries the meter; also ends when the plugin is closed
	meter   *meter
	release func() // of timed
}

// newCaller returns a caller, which must be stopped.
func (p *Plugin) newCaller(ctx context.Context) *caller {
	c := &caller{plugin: p, ctx: ctx}
	c.renew()
	return c
}

// renew makes the context of the next calls.
func (c *caller) renew() {
	ctx, cancel := context.WithCancelCause(c.ctx)
	stop := context.AfterFunc(c.plugin.pool.ctx, func() { cancel(errClosed) })
	c.timed, c.meter = startMeter(ctx, time.Duration(c.plugin.limits.Deadline))
	c.meter.rest()
	c.release = func() {
		c.meter.stop()
		stop()
		cancel(nil)
	}
}

// call makes one call on an instance, within the deadline. After an error that the plugin has not reported itself the
// instance goes back to how it was when it was opened, or is discarded.
func (c *caller) call(use func(context.Context, instance) error) error {
	p := c.plugin
	inst, err := p.pool.acquire(c.ctx)
	if err != nil {
		return err
	}
	c.meter.restart()
	p.broker.running.Add(1)
	err = use(c.timed, inst)
	p.broker.running.Add(-1)
	c.meter.rest()
	p.pool.release(inst, settle(inst, err))
	if err != nil { // the context may have ended, and what was left behind may still read the request
		c.release()
		c.renew()
		c.builder = wire.Builder{}
	}
	return err
}

// builderFor returns what writes the request of the call under way on an instance.
func (c *caller) builderFor(inst instance) *wire.Builder {
	if r, ok := inst.(roomy); ok {
		c.builder.Use(r.roomForRequest())
	}
	return &c.builder
}

// stop releases what the caller keeps.
func (c *caller) stop() { c.release() }
