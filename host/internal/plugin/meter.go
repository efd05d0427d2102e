package plugin

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A deadlineError says that a call used up its time.
type deadlineError struct{ limit time.Duration }

func (e deadlineError) Error() string {
	return fmt.Sprintf("took longer than the deadline of %v", e.limit)
}

// A meter counts the time of calls that follow each other, without the time that the plugin waits for the host's
// models, and cancels their context with a deadlineError when one of them reaches the limit. After that it counts no
// more calls.
type meter struct {
	limit  time.Duration
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
	since time.Time     // the timer runs since
	used  time.Duration // before since
	waits int           // model requests under way, and one more between the calls
}

type meterKey struct{}

// startMeter returns the context of calls and its meter, which counts the first of them and must be stopped.
func startMeter(ctx context.Context, limit time.Duration) (context.Context, *meter) {
	ctx, cancel := context.WithCancelCause(ctx)
	m := &meter{limit: limit, cancel: cancel, since: time.Now()}
	m.timer = time.AfterFunc(limit, m.expire)
	return context.WithValue(ctx, meterKey{}, m), m
}

// restart begins to count the next call, after rest.
func (m *meter) restart() {
	m.mu.Lock()
	m.used = 0
	m.mu.Unlock()
	m.resume()
}

// rest ends the counting of a call. An expire that is under way finds the time stopped.
func (m *meter) rest() { m.pause() }

// meterOf returns the meter of the call that the context belongs to, nil outside a call.
func meterOf(ctx context.Context) *meter {
	m, _ := ctx.Value(meterKey{}).(*meter)
	return m
}

// check ends the call when its time is up, as the timer does when it gets its turn. A meter that is nil has none.
func (m *meter) check() {
	if m != nil {
		m.expire()
	}
}

// expire ends the call when its time is up. A timer may fire while it is being paused.
func (m *meter) expire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waits == 0 && m.used+time.Since(m.since) >= m.limit {
		m.cancel(deadlineError{m.limit})
	}
}

// pause stops the time until resume. A meter that is nil has none.
func (m *meter) pause() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waits++; m.waits == 1 {
		m.timer.Stop()
		m.used += time.Since(m.since)
	}
}

func (m *meter) resume() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waits--; m.waits == 0 {
		m.since = time.Now()
		m.timer.Reset(max(m.limit-m.used, 0))
	}
}

// stop ends the metering and releases the context.
func (m *meter) stop() {
	m.pause()
	m.cancel(nil)
}
