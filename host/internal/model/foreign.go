package model

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// foreign holds the keys of config.json that this package reads but does not write as they are, or refuses.
type foreign struct {
	NumLabels             *int              `json:"num_labels"`
	Label2ID              json.RawMessage   `json:"label2id"`
	DType                 *string           `json:"dtype"`
	RopeParameters        *ropeParameters   `json:"rope_parameters"`
	PartialRotaryFactor   *float64          `json:"partial_rotary_factor"`
	PositionEmbeddingType *string           `json:"position_embedding_type"`
	IsDecoder             bool              `json:"is_decoder"`
	AddCrossAttention     bool              `json:"add_cross_attention"`
	SlidingWindow         optional[int]     `json:"sliding_window"`
	UseSlidingWindow      bool              `json:"use_sliding_window"`
	AttentionLimit        optional[float64] `json:"attn_logit_softcapping"`
	LogitLimit            optional[float64] `json:"final_logit_softcapping"`
	Bidirectional         *bool             `json:"use_bidirectional_attention"`
	QuantizationConfig    map[string]any    `json:"quantization_config"`
}

// ropeParameters are the rotary keys of transformers 5, where layers that see a window may have their own.
type ropeParameters struct {
	ropeFile
	Full    *ropeFile `json:"full_attention"`
	Sliding *ropeFile `json:"sliding_attention"`
}

type ropeFile struct {
	Theta               float64  `json:"rope_theta"`
	PartialRotaryFactor *float64 `json:"partial_rotary_factor"`
	RopeScaling
}

// An optional value tells a key that is absent from one that is null, which is the zero value.
type optional[T any] struct {
	there bool
	value T
}

// UnmarshalJSON reads a value or null.
func (o *optional[T]) UnmarshalJSON(b []byte) error {
	o.there = true
	return json.Unmarshal(b, &o.value)
}

// over is the value, or what is there without the key.
func (o optional[T]) over(absent T) T {
	if o.there {
		return o.value
	}
	return absent
}

func (f foreign) check(a architecture) error {
	if err := f.checkRope(a); err != nil {
		return err
	}
	switch {
	case f.PositionEmbeddingType != nil && *f.PositionEmbeddingType != "absolute":
		return fmt.Errorf("position_embedding_type %q is not supported", *f.PositionEmbeddingType)
	case f.IsDecoder || f.AddCrossAttention:
		return fmt.Errorf("is_decoder and add_cross_attention are not supported")
	case f.Bidirectional != nil && *f.Bidirectional:
		return fmt.Errorf("use_bidirectional_attention is not supported")
	case !a.limits && (f.AttentionLimit.value != 0 || f.LogitLimit.value != 0):
		return fmt.Errorf("attn_logit_softcapping and final_logit_softcapping are not supported")
	case f.SlidingWindow.value != 0 && a.decoder && !a.windows:
		return fmt.Errorf("sliding_window is not supported")
	case len(f.QuantizationConfig) > 0:
		return fmt.Errorf("quantization_config: quantized weights are not supported")
	}
	return nil
}

func (f foreign) checkRope(a architecture) error {
	partials := []*float64{f.PartialRotaryFactor}
	if r := f.RopeParameters; r != nil {
		for _, file := range []*ropeFile{&r.ropeFile, r.Full, r.Sliding} {
			if file != nil {
				partials = append(partials, file.PartialRotaryFactor)
			}
		}
		if r.Sliding != nil && (!a.localRope || r.Sliding.RopeScaling.standard() != nil) {
			return fmt.Errorf("rope_parameters: those of sliding_attention are not supported")
		}
	}
	for _, partial := range partials {
		if partial != nil && *partial != 1 {
			return fmt.Errorf("partial_rotary_factor %v is not supported", *partial)
		}
	}
	return nil
}

func (f foreign) apply(c *Config) error {
	switch {
	case c.ID2Label != nil && f.NumLabels != nil && *f.NumLabels != len(c.ID2Label):
		return fmt.Errorf("num_labels is %d, but id2label has %d", *f.NumLabels, len(c.ID2Label))
	case c.ID2Label != nil:
		c.NumLabels = len(c.ID2Label)
	case f.NumLabels != nil:
		c.NumLabels = *f.NumLabels
	}
	if f.DType != nil {
		c.TorchDtype = *f.DType
	}
	f.applyRope(c)
	if c.arch().decoder {
		c.fillHeads()
		c.AttentionLimit, c.LogitLimit = f.AttentionLimit.over(c.AttentionLimit), f.LogitLimit.over(c.LogitLimit)
		return f.applyWindow(c)
	}
	return nil
}

func (f foreign) applyRope(c *Config) {
	if r := f.RopeParameters; r != nil {
		full := r.ropeFile
		if r.Full != nil {
			full = *r.Full
		}
		c.RopeTheta, c.RopeScaling = orElse(full.Theta, c.RopeTheta), &full.RopeScaling
		if r.Sliding != nil {
			c.LocalRopeTheta = orElse(r.Sliding.Theta, c.LocalRopeTheta)
		}
	}
	if c.RopeScaling != nil {
		c.RopeScaling = c.RopeScaling.standard()
	}
}

// fillHeads sets what decoders derive from other keys.
func (c *Config) fillHeads() {
	if c.NumKeyValueHeads == 0 {
		c.NumKeyValueHeads = c.NumAttentionHeads
	}
	if c.HeadDim == 0 && c.NumAttentionHeads > 0 {
		c.HeadDim = c.HiddenSize / c.NumAttentionHeads
	}
}

// applyWindow settles which layers see a window.
func (f foreign) applyWindow(c *Config) error {
	c.SlidingWindow = f.SlidingWindow.over(c.SlidingWindow)
	if !c.arch().alternating {
		return nil
	}
	if !f.UseSlidingWindow && c.arch().fullEach == 0 {
		c.SlidingWindow = 0
	}
	if c.SlidingWindow == 0 || c.LayerTypes != nil {
		return nil
	}
	return c.nameLayers()
}

// nameLayers names the layers' kinds for files from before layer_types: either each sliding_window_pattern-th layer
// sees everything, or the max_window_layers at the bottom do.
func (c *Config) nameLayers() error {
	key, n := "max_window_layers", 28
	each := c.arch().fullEach > 0
	if each {
		key, n = "sliding_window_pattern", c.arch().fullEach
	}
	if said, ok := c.Others[key]; ok {
		if err := json.Unmarshal(said, &n); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	for i := range min(c.NumHiddenLayers, maxLayers) {
		kind := slidingAttention
		if each && n > 0 && (i+1)%n == 0 || !each && i < n {
			kind = fullAttention
		}
		c.LayerTypes = append(c.LayerTypes, kind)
	}
	return nil
}

// keepOthers puts aside the keys that nothing here reads.
func (c *Config) keepOthers(file []byte) error {
	if err := json.Unmarshal(file, &c.Others); err != nil {
		return err
	}
	for key := range c.Others {
		if slices.ContainsFunc(keysRead, func(known string) bool { return strings.EqualFold(key, known) }) {
			delete(c.Others, key)
		}
	}
	if len(c.Others) == 0 {
		c.Others = nil
	}
	return nil
}

// keysRead are the keys of config.json that are no others.
var keysRead = append(keysOf(reflect.TypeFor[Config]()), keysOf(reflect.TypeFor[foreign]())...)

func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		keys = append(keys, key)
	}
	return keys
}
