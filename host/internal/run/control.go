package run

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// A Request is what a caller asks of a run, a line of JSON.
type Request struct {
	Plugin string `json:"plugin"` // name in the recipe
	Entry  string `json:"entry"`  // its new entry, as Alternative gives it
	Shadow int    `json:"shadow"` // batches in which the new one judges beside the old first
}

// A Reply is a line that answers a Request: one with the stage when the request is taken, one for each batch of the
// shadow, then one with the swap or an error.
type Reply struct {
	Stage     string     `json:"stage,omitempty"`
	Batch     int        `json:"batch,omitempty"` // of the shadow, counted from 1
	Agreement *Agreement `json:"agreement,omitempty"`
	Swapped   *Swap      `json:"swapped,omitempty"`
	Error     string     `json:"error,omitempty"`
}

// last reports whether no other reply follows.
func (r Reply) last() bool { return r.Swapped != nil || r.Error != "" }

// Bounds of a conversation.
const (
	maxRequest  = 64 << 10 // bytes
	maxShadow   = 100_000  // batches
	maxCallers  = 4
	callTimeout = 10 * time.Second // of a caller that does not write or read
)

// errWithdrawn is what a caller that has gone does not hear, and one of a run that is stopped does.
var errWithdrawn = errors.New("the run was stopped: nothing was swapped")

// A control takes requests for a run on a socket in its directory. Its methods may be called of none.
type control struct {
	process  *Process // its recipe, folders and log only: the rest is the run's, on another goroutine
	listener net.Listener
	callers  sync.WaitGroup
	stop     context.CancelFunc
	free     func() error // the socket

	mu    sync.Mutex
	seat  *seat  // that judges now
	order *order // that is under way
}

// An order is a request that is under way.
type order struct {
	alternative
	batches int
	told    chan Reply // progress; what the caller does not read in time is left out
	ended   chan Reply // the last reply
}

// listen opens the socket. A file system without sockets is no reason not to run.
func (p *Process) listen(ctx context.Context) *control {
	listener, free, err := listenIn(p.dir)
	if err != nil {
		p.log.Warn("no reward can be swapped while this runs", "error", err)
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	c := &control{process: p, listener: listener, stop: stop, free: free}
	c.callers.Go(func() { c.accept(ctx) })
	return c
}

// close ends all conversations and removes the socket.
func (c *control) close() {
	if c == nil {
		return
	}
	c.stop()
	err := c.listener.Close()
	c.callers.Wait()
	if err := errors.Join(err, c.free()); err != nil {
		c.process.log.Warn("remove the control socket", "error", err)
	}
}

func (c *control) accept(ctx context.Context) {
	slots := make(chan struct{}, maxCallers)
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		select {
		case slots <- struct{}{}:
			c.callers.Go(func() {
				defer func() { <-slots }()
				c.converse(ctx, conn)
			})
		default:
			conn.Close()
		}
	}
}

// converse answers one request.
func (c *control) converse(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(0, 1)) })()
	conn.SetReadDeadline(time.Now().Add(callTimeout))
	lines := bufio.NewReader(io.LimitReader(conn, maxRequest))
	r, err := readRequest(lines)
	if err != nil {
		reply(conn, Reply{Error: err.Error()})
		return
	}
	conn.SetReadDeadline(time.Time{})
	go func() { // the caller says nothing more: what ends this is that it goes
		io.Copy(io.Discard, lines)
		cancel()
	}()
	if err := c.swap(ctx, r, func(r Reply) error { return reply(conn, r) }); err != nil {
		reply(conn, Reply{Error: err.Error()})
	}
}

// readRequest reads a line and checks its bounds.
func readRequest(lines *bufio.Reader) (r Request, err error) {
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return r, fmt.Errorf("no request: want a line of at most %d bytes: %w", maxRequest, err)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("no request: %w", err)
	}
	if r.Plugin == "" || r.Shadow < 0 || r.Shadow > maxShadow {
		return r, fmt.Errorf("no request: want the name of a plugin and a shadow of 0 to %d batches", maxShadow)
	}
	return r, nil
}

func reply(conn net.Conn, r Reply) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	conn.SetWriteDeadline(time.Now().Add(callTimeout))
	_, err = conn.Write(append(text, '\n'))
	return err
}

// swap passes a request on to the court and its replies back, until the last one or until the caller has gone or the
// run is stopped, which withdraws the request.
func (c *control) swap(ctx context.Context, r Request, tell func(Reply) error) error {
	a, err := c.process.alternative(r.Plugin, r.Entry)
	if err != nil {
		return err
	}
	if err := c.process.checkAlternative(ctx, a); err != nil {
		return err
	}
	o := &order{alternative: a, batches: r.Shadow, told: make(chan Reply, 16), ended: make(chan Reply, 1)}
	stage, err := c.place(o)
	if err != nil {
		return err
	}
	if err := tell(Reply{Stage: stage}); err != nil {
		c.end(o, Reply{})
		return err
	}
	return c.follow(ctx, o, tell)
}

// follow hands on the replies to an order.
func (c *control) follow(ctx context.Context, o *order, tell func(Reply) error) error {
	for {
		select {
		case <-ctx.Done(): // the order ends, unless it has: then this is not heard of twice
			c.end(o, Reply{Error: errWithdrawn.Error()})
			return tell(<-o.ended)
		case r := <-o.told:
			if err := tell(r); err != nil {
				c.end(o, Reply{})
				return err
			}
		case last := <-o.ended:
			for len(o.told) > 0 {
				if err := tell(<-o.told); err != nil {
					return err
				}
			}
			return tell(last)
		}
	}
}

// place makes an order the one that is under way and returns the stage that it is for.
func (c *control) place(o *order) (stage string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.order != nil:
		return "", errors.New("another swap is under way")
	case c.seat == nil || c.seat.plugin != o.name:
		return "", fmt.Errorf("no stage is being judged by %s now%s; for the next, change the recipe and run again",
			o.name, c.busy())
	}
	c.order = o
	return c.seat.stage, nil
}

// busy says who judges instead.
func (c *control) busy() string {
	if c.seat == nil {
		return ""
	}
	return fmt.Sprintf(" (%s is, by %s)", c.seat.stage, c.seat.plugin)
}

// begin says who judges from now on.
func (c *control) begin(s seat) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seat = &s
}

// leave says that nobody judges any more. An order that nobody has looked at ends.
func (c *control) leave(s seat) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seat = nil
	if c.order != nil {
		c.order.ended <- Reply{Error: fmt.Sprintf("stage %s has ended: nothing was swapped", s.stage)}
		c.order = nil
	}
}

// ordered is the order for a seat, or nil.
func (c *control) ordered(s seat) *order {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.order == nil || c.order.name != s.plugin {
		return nil
	}
	return c.order
}

// tell reports progress of an order.
func (c *control) tell(o *order, r Reply) {
	select {
	case o.told <- r:
	default:
	}
}

// end ends an order, unless it has ended.
func (c *control) end(o *order, last Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.order == o {
		o.ended <- last
		c.order = nil
	}
}
