package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bounds of what an endpoint may send.
const (
	maxBody   = 1 << 20
	maxHeader = 64 << 10
	maxExcuse = 300 // bytes of an error's body that are shown
)

// longest is the longest wait before another attempt, whatever the endpoint asks for.
const longest = time.Minute

// backoff is the wait after attempt n, counted from 0.
func (c *config) backoff(n int) time.Duration {
	wait := seconds(c.Backoff)
	for ; n > 0 && wait < longest; n-- {
		wait *= 2
	}
	return min(wait, longest)
}

// A client sends requests at the configured pace.
type client struct {
	url, key string
	http     *http.Client
	pace     pace
	sleep    func(context.Context, time.Duration) error
}

// newClient makes a client that talks to the endpoint and nobody else: it follows no redirect, which would carry the
// key away, and asks no proxy.
func newClient(c config) *client {
	return &client{
		url: c.url(), key: c.key, sleep: sleep, pace: pace{interval: seconds(60 / c.PerMinute)},
		http: &http.Client{
			Timeout:       seconds(c.Timeout),
			Transport:     &http.Transport{MaxResponseHeaderBytes: maxHeader, MaxIdleConnsPerHost: c.Parallel},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// transient is a failure that may pass; after is how long the endpoint asks to wait.
type transient struct {
	err   error
	after time.Duration
}

func (t *transient) Error() string { return t.err.Error() }
func (t *transient) Unwrap() error { return t.err }

// post makes one attempt.
func (c *client) post(ctx context.Context, body []byte) (reply, error) {
	if err := c.sleep(ctx, c.pace.next(time.Now())); err != nil {
		return reply{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return reply{}, fmt.Errorf("make the request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return reply{}, &transient{err: err}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	switch {
	case err != nil:
		return reply{}, &transient{err: fmt.Errorf("read the answer of %s: %w", c.url, err)}
	case answer.StatusCode != http.StatusOK:
		return reply{}, c.refused(answer, text)
	case len(text) > maxBody:
		return reply{}, fmt.Errorf("the answer of %s has more than %d bytes", c.url, maxBody)
	}
	return decoded(text, len(body))
}

// refused is the error of a status other than 200.
func (c *client) refused(answer *http.Response, text []byte) error {
	excuse := strings.ToValidUTF8(string(text[:min(len(text), maxExcuse)]), "\uFFFD")
	err := fmt.Errorf("%s answers %s: %s", c.url, answer.Status, strings.TrimSpace(excuse))
	if answer.StatusCode != http.StatusTooManyRequests && answer.StatusCode < 500 {
		return err
	}
	t := &transient{err: err}
	if s, bad := strconv.Atoi(answer.Header.Get("Retry-After")); bad == nil && s > 0 {
		t.after = min(time.Duration(min(s, maxWait))*time.Second, longest)
	}
	return t
}

// decoded reads a chat completion. An endpoint that counts no tokens is charged one for three bytes.
func decoded(text []byte, asked int) (reply, error) {
	var completion struct {
		Choices []struct{ Message message }
		Usage   struct {
			Total int `json:"total_tokens"`
		}
	}
	if err := json.Unmarshal(text, &completion); err != nil {
		return reply{}, fmt.Errorf("the answer is no chat completion: %w", err)
	}
	if len(completion.Choices) == 0 {
		return reply{}, errors.New("the answer is a chat completion without choices")
	}
	r := reply{Content: completion.Choices[0].Message.Content, Tokens: completion.Usage.Total}
	if r.Tokens <= 0 {
		r.Tokens = (asked + len(r.Content)) / 3
	}
	return r, nil
}

// A pace spreads requests evenly.
type pace struct {
	mu       sync.Mutex
	interval time.Duration
	free     time.Time // when the next request may go
}

// next books a request and returns how long to wait for its turn.
func (p *pace) next(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	turn := now
	if p.free.After(now) {
		turn = p.free
	}
	p.free = turn.Add(p.interval)
	return turn.Sub(now)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
