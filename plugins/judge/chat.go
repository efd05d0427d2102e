package judge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/carebot-llm/carebot/sdk"
)

// A chat asks one question at a time of the model, or of the record. It is safe for concurrent use.
type chat struct {
	config
	record *record // nil without one
	client *client
	budget budget
	log    func(sdk.Level, string)
	mu     sync.Mutex // of log
}

func newChat(c config, log func(sdk.Level, string)) (*chat, error) {
	h := &chat{config: c, client: newClient(c), budget: budget{requests: c.MaxRequests, tokens: c.MaxTokens}, log: log}
	if c.Record == "" {
		return h, nil
	}
	var err error
	h.record, err = openRecord(c.Record, c.Replay == "only")
	return h, err
}

// A request is the body of a chat completion.
type request struct {
	Model       string    `json:"model"`
	Messages    []message `json:"messages"`
	Temperature float64   `json:"temperature"`
	MaxTokens   int       `json:"max_tokens"`
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// A reply is what is kept of the answer.
type reply struct {
	Content string `json:"content"`
	Tokens  int    `json:"tokens"` // of question and answer
}

var errNotRecorded = errors.New("the question is not in the record, and replay is only")

// ask returns the text with which the model answers a prompt.
func (h *chat) ask(ctx context.Context, prompt string) (string, error) {
	body, err := json.Marshal(request{h.Model, []message{{"user", prompt}}, h.Temperature, h.AnswerTokens})
	if err != nil {
		return "", fmt.Errorf("encode the request: %w", err)
	}
	sum := sha256.Sum256(body)
	key := hex.EncodeToString(sum[:])
	if r, known := h.record.find(key); known {
		return r.Content, nil
	}
	if h.Replay == "only" {
		return "", errNotRecorded
	}
	r, err := h.insist(ctx, body)
	if err != nil {
		return "", errors.New(h.redact(err.Error()))
	}
	r.Content = h.redact(r.Content)
	r, err = h.record.add(key, body, r)
	return r.Content, err
}

// insist asks again, after growing waits, while the failure may pass.
func (h *chat) insist(ctx context.Context, body []byte) (reply, error) {
	for attempt := 0; ; attempt++ {
		if err := h.budget.take(); err != nil {
			return reply{}, err
		}
		r, err := h.client.post(ctx, body)
		if err == nil {
			h.budget.spend(r.Tokens)
			return r, nil
		}
		var t *transient
		if !errors.As(err, &t) || attempt == h.Retries || ctx.Err() != nil {
			return reply{}, err
		}
		wait := max(h.backoff(attempt), t.after)
		h.warn(fmt.Sprintf("attempt %d of %d: %v; waiting %v", attempt+1, h.Retries+1, err, wait))
		if err := h.client.sleep(ctx, wait); err != nil {
			return reply{}, err
		}
	}
}

func (h *chat) warn(message string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log(sdk.Warn, h.redact(message))
}

// redact takes the key out of what an endpoint may echo.
func (h *chat) redact(text string) string {
	if h.key == "" {
		return text
	}
	return strings.ReplaceAll(text, h.key, "[key]")
}
