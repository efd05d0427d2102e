package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

// An executable starts the processes of a plugin, each of which is one instance.
type executable struct {
	command command
	opening []byte       // frame
	host    *hostService // nil without models
	proxy   *proxy       // nil without a network
	sockets string       // directory of all sockets, 0700

	mu    sync.Mutex
	early int // processes in a row that ended before they answered anything
}

// startTimeout is what a process has to shake hands, and then again to describe itself or to open.
const startTimeout = 30 * time.Second

func newExecutable(spec Spec, info Info, opening wire.Opening, b *broker) (*executable, error) {
	frame, err := wire.EncodeOpening(new(wire.Builder), opening)
	if err != nil {
		return nil, err
	}
	e := &executable{opening: frame, command: newCommand(info.Path, spec.Dir, spec.Plugin)}
	c := &e.command
	c.hidden, c.shares, c.log = spec.Hidden, true, newGuestLog(spec.Log)
	if err := errors.Join(c.pin(info.Digest), c.makeWritable()); err != nil {
		return nil, err
	}
	if e.sockets, err = os.MkdirTemp("", "carebot-plugin-"); err != nil {
		return nil, err
	}
	c.sockets = e.sockets
	if err := errors.Join(e.serveModels(b), e.serveNetwork(spec.Plugin.Grant.Network)); err != nil {
		return nil, errors.Join(err, e.close())
	}
	warnWhereOpen(spec.Log, spec.Plugin)
	return e, nil
}

// serveModels lets processes ask models, when there are some.
func (e *executable) serveModels(b *broker) (err error) {
	if len(b.models) > 0 {
		e.command.host = filepath.Join(e.sockets, "host")
		e.host, err = newHostService(e.command.host, b)
	}
	return err
}

// serveNetwork lets processes reach what is granted. Where they are not kept from the network they need no proxy.
func (e *executable) serveNetwork(granted []string) (err error) {
	socket := ""
	if len(granted) > 0 && contains().Namespaces {
		socket = filepath.Join(e.sockets, "proxy")
	}
	if e.command.net, err = newNetwork(socket, granted); err == nil && socket != "" {
		e.proxy, err = newProxy(socket, granted, e.command.log)
	}
	return err
}

// describe starts a process to get its manifest. It has no network, and writes nothing.
func describe(ctx context.Context, info Info, dir string, p recipe.Plugin) (m sdk.Manifest, err error) {
	c := newCommand(info.Path, dir, p)
	c.write, c.log = nil, newGuestLog(slog.New(slog.DiscardHandler))
	if err := c.pin(info.Digest); err != nil {
		return m, err
	}
	if c.sockets, err = os.MkdirTemp("", "carebot-plugin-"); err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.sockets)) }()
	proc, err := launch(ctx, c)
	if err != nil {
		return m, err
	}
	defer proc.close()
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errors.New("the process does not describe itself"))
	defer cancel()
	reply, err := proc.plugin.Describe(ctx, &dp1.DescribeRequest{})
	if err != nil {
		return m, proc.failed(ctx, err)
	}
	return parseManifest(reply.Manifest)
}

// startTries is how often a process is started before the plugin is given up.
const startTries = 3

// start starts a process and opens the instance in it. After processes that ended without having answered anything it
// waits a while, longer each time.
func (e *executable) start(ctx context.Context) (instance, error) {
	var err error
	for range startTries {
		if err := e.backOff(ctx); err != nil {
			return nil, err
		}
		var p *process
		if p, err = launch(ctx, e.command); err == nil {
			p.onEnd = func(lived bool) { e.ended(p, lived) }
			if err = e.open(ctx, p); err == nil {
				return p, nil
			}
			p.close()
		} else {
			e.ended(nil, false)
		}
		var reported reportedError
		if ctx.Err() != nil || errors.As(err, &reported) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%d attempts: %w", startTries, err)
}

// open makes the instance.
func (e *executable) open(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, e.command.timeout, errors.New("the process does not open"))
	defer cancel()
	request := &dp1.OpenRequest{Frame: e.opening, Shared: p.shared.offer()}
	if e.host != nil {
		request.HostSocket, request.Token = e.host.socket, e.host.admit(p)
	}
	reply, err := p.plugin.Open(ctx, request)
	switch {
	case err != nil:
		return p.failed(ctx, err)
	case reply.Error != "":
		return fmt.Errorf("the plugin does not open: %w", reportedError{reply.Error})
	}
	if !reply.Shares {
		p.shared.close()
		p.shared = nil
	}
	return nil
}

// ended keeps count of processes that end early, and takes an ended process's right to ask models.
func (e *executable) ended(p *process, lived bool) {
	if e.host != nil {
		e.host.dismiss(p)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.early++; lived {
		e.early = 0
	}
}

// Bounds of the wait before a process is started again.
const (
	minWait = 50 * time.Millisecond
	maxWait = 2 * time.Second
)

func (e *executable) backOff(ctx context.Context) error {
	e.mu.Lock()
	early := e.early
	e.mu.Unlock()
	if early == 0 {
		return nil
	}
	select {
	case <-time.After(min(minWait<<min(early-1, 10), maxWait)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (e *executable) close() error {
	if e.host != nil {
		e.host.close()
	}
	if e.proxy != nil {
		e.proxy.close()
	}
	return os.RemoveAll(e.sockets)
}

var _ engine = (*executable)(nil)
