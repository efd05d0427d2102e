package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/carebot-llm/carebot/sdk"
)

var schema = sdk.ConfigSchema{
	Required: []string{"endpoint", "model"},
	Properties: map[string]sdk.ConfigKey{
		"endpoint":      key("string", nil, "base URL, such as http://127.0.0.1:8000/v1"),
		"model":         key("string", nil, "name of the model there"),
		"api_key_env":   key("string", nil, "environment variable with the API key; default: no key"),
		"temperature":   key("number", 0, "of sampling"),
		"answer_tokens": key("integer", 512, "most tokens of an answer"),
		"characters":    key("integer", 8000, "most characters of a document or an answer; the rest is cut"),
		"disagreement":  key("number", 2, "difference of two ratings from which they are dropped"),

		"parallel":            key("integer", 4, "records worked on at a time"),
		"timeout":             key("number", 60, "seconds for one request"),
		"retries":             key("integer", 5, "further attempts after 429, 5xx, time-outs, lost connections"),
		"backoff":             key("number", 1, "seconds before the second attempt, doubled for each further one"),
		"requests_per_minute": key("number", 60, "rate limit; attempts count"),
		"max_requests":        key("integer", 10_000, "spend cap: attempts after which nothing is asked any more"),
		"max_tokens":          key("integer", 10_000_000, "spend cap: tokens of questions and answers"),

		"record": key("string", nil, "JSONL file that every answer is added to"),
		"replay": key("string", "fill", "fill: ask what is not in the record; only: never use the network"),
	},
}

func key(kind string, standard any, summary string) sdk.ConfigKey {
	return sdk.ConfigKey{Type: []string{kind}, Default: standard, Summary: summary}
}

// config is the `with` block.
type config struct {
	Endpoint     string  `json:"endpoint"`
	Model        string  `json:"model"`
	APIKeyEnv    string  `json:"api_key_env"`
	Temperature  float64 `json:"temperature"`
	AnswerTokens int     `json:"answer_tokens"`
	Characters   int     `json:"characters"`
	Disagreement float64 `json:"disagreement"`
	Parallel     int     `json:"parallel"`
	Timeout      float64 `json:"timeout"`
	Retries      int     `json:"retries"`
	Backoff      float64 `json:"backoff"`
	PerMinute    float64 `json:"requests_per_minute"`
	MaxRequests  int     `json:"max_requests"`
	MaxTokens    int     `json:"max_tokens"`
	Record       string  `json:"record"`
	Replay       string  `json:"replay"`

	key string // never logged, never recorded
}

func configured(raw []byte) (config, error) {
	c := config{
		AnswerTokens: 512, Characters: 8000, Disagreement: 2, Parallel: 4, Timeout: 60, Retries: 5, Backoff: 1,
		PerMinute: 60, MaxRequests: 10_000, MaxTokens: 10_000_000, Replay: "fill",
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	if err := errors.Join(c.checkEndpoint(), c.checkBounds(), c.checkReplay()); err != nil {
		return c, err
	}
	if c.APIKeyEnv != "" && c.Replay != "only" {
		if c.key = os.Getenv(c.APIKeyEnv); c.key == "" {
			return c, fmt.Errorf("api_key_env: environment variable %s is empty or not granted", c.APIKeyEnv)
		}
	}
	return c, nil
}

// checkEndpoint refuses a URL that would carry a secret into error messages.
func (c *config) checkEndpoint() error {
	u, err := url.Parse(c.Endpoint)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("endpoint %q is not a URL of http or https", c.Endpoint)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("endpoint is a base URL without user, query and fragment; a key goes to api_key_env")
	case c.Model == "":
		return errors.New("model is missing")
	}
	return nil
}

// maxWait bounds timeout and backoff, in seconds.
const maxWait = 3600

func (c *config) checkBounds() error {
	for _, b := range []struct {
		name         string
		v, low, high float64
	}{
		{"temperature", c.Temperature, 0, 2}, {"answer_tokens", float64(c.AnswerTokens), 1, 1 << 20},
		{"characters", float64(c.Characters), 1, 1 << 24}, {"disagreement", c.Disagreement, 0, 100},
		{"parallel", float64(c.Parallel), 1, 1024}, {"timeout", c.Timeout, 0.001, maxWait},
		{"retries", float64(c.Retries), 0, 100}, {"backoff", c.Backoff, 0, maxWait},
		{"requests_per_minute", c.PerMinute, 0.001, 1e9},
		{"max_requests", float64(c.MaxRequests), 0, 1 << 53}, {"max_tokens", float64(c.MaxTokens), 0, 1 << 53},
	} {
		if b.v < b.low || b.v > b.high {
			return fmt.Errorf("%s is %v; it lies from %v to %v", b.name, b.v, b.low, b.high)
		}
	}
	return nil
}

func (c *config) checkReplay() error {
	switch {
	case c.Replay != "fill" && c.Replay != "only":
		return fmt.Errorf("replay is %q; it is fill or only", c.Replay)
	case c.Replay == "only" && c.Record == "":
		return errors.New("replay from a record needs record")
	}
	return nil
}

// url is where chat completions are asked for.
func (c *config) url() string {
	base := strings.TrimRight(c.Endpoint, "/")
	if strings.HasSuffix(base, "/chat/completions") {
		return base
	}
	return base + "/chat/completions"
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
