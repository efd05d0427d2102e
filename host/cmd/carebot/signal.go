package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signalled is the cause of a context that a signal ended.
type signalled struct{ signal syscall.Signal }

func (s signalled) Error() string {
	if s.signal == syscall.SIGINT {
		return "interrupted"
	}
	return "terminated"
}

func (s signalled) exitCode() int { return 128 + int(s.signal) }

// withSignals cancels the context at the first SIGINT or SIGTERM, so that what runs can save its state. The second
// ends the process at once. Stop must be called when no more signals are awaited.
func withSignals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			select {
			case s := <-signals:
				cause := signalled{s.(syscall.Signal)}
				if !first {
					os.Exit(cause.exitCode())
				}
				cancel(cause)
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
