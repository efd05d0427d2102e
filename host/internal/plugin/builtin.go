package plugin

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// builtin starts instances of a plugin that is compiled into the host.
type builtin struct {
	name    string
	opening wire.Opening
	broker  *broker
	log     *slog.Logger
}

func newBuiltin(name string, opening wire.Opening, b *broker, log *slog.Logger) *builtin {
	return &builtin{name: name, opening: opening, broker: b, log: log}
}

func (b *builtin) start(context.Context) (instance, error) {
	p, _ := sdk.Registered(b.name)
	guest, err := wire.NewGuest(p, sdk.Env{Config: b.opening.Config, Seed: b.opening.Seed, Host: b})
	if err != nil {
		return nil, err
	}
	return &compiledIn{guest: guest}, nil
}

func (b *builtin) close() error { return nil }

// Model is of sdk.Host.
func (b *builtin) Model(name string) (sdk.Model, error) {
	for _, m := range b.broker.models {
		if m.name == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("model %q is not granted", name)
}

// Log is of sdk.Host.
func (b *builtin) Log(level sdk.Level, message string) {
	b.log.Log(context.Background(), slog.Level(level), message)
}

// compiledIn is an instance of a built-in plugin.
type compiledIn struct{ guest *wire.Guest }

func (c *compiledIn) run(ctx context.Context, kind wire.Kind, frame []byte) ([]byte, error) {
	return c.call(ctx, func() ([]byte, error) { return c.guest.Run(ctx, kind, frame) })
}

func (c *compiledIn) flush(ctx context.Context, kind wire.Kind) ([]byte, error) {
	return c.call(ctx, func() ([]byte, error) { return c.guest.Flush(ctx, kind) })
}

// call gives up waiting when the context ends. Go code cannot be stopped: a plugin that does not heed its context goes
// on, and its instance is left to it.
func (c *compiledIn) call(ctx context.Context, ask func() ([]byte, error)) ([]byte, error) {
	type outcome struct {
		frame []byte
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		frame, err := ask()
		done <- outcome{frame, err}
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case o := <-done:
		if o.err != nil && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if o.err != nil {
			return nil, reportedError{o.err.Error()}
		}
		return o.frame, nil
	}
}

func (c *compiledIn) close() {}

var (
	_ engine   = (*builtin)(nil)
	_ sdk.Host = (*builtin)(nil)
	_ instance = (*compiledIn)(nil)
)
