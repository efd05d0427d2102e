package model

import (
	"encoding/json"
	"fmt"
)

// written holds the keys of config.json whose form in the file is not that of Config.
type written struct {
	Label2ID         map[string]int  `json:"label2id,omitempty"`
	SlidingWindow    json.RawMessage `json:"sliding_window,omitempty"`
	UseSlidingWindow *bool           `json:"use_sliding_window,omitempty"`
	AttentionLimit   json.RawMessage `json:"attn_logit_softcapping,omitempty"`
	LogitLimit       json.RawMessage `json:"final_logit_softcapping,omitempty"`
}

// written has the keys that count for the model type: without one, transformers would take its own default.
func (c Config) written() written {
	var w written
	a := c.arch()
	if a.windows {
		w.SlidingWindow = orNull(c.SlidingWindow)
	}
	if a.alternating && a.fullEach == 0 {
		slides := c.SlidingWindow > 0
		w.UseSlidingWindow = &slides
	}
	if a.limits {
		w.AttentionLimit, w.LogitLimit = orNull(c.AttentionLimit), orNull(c.LogitLimit)
	}
	return w
}

// orNull is a number in JSON, null for 0.
func orNull[T int | float64](n T) json.RawMessage {
	if n == 0 {
		return json.RawMessage("null")
	}
	return fmt.Append(nil, n)
}
