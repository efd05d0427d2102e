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
	NumLabels             *int            `json:"num_labels"`
	Label2ID              json.RawMessage `json:"label2id"`
	DType                 *string         `json:"dtype"`
	RopeParameters        *ropeFile       `json:"rope_parameters"`
	PartialRotaryFactor   *float64        `json:"partial_rotary_factor"`
	PositionEmbeddingType *string         `json:"position_embedding_type"`
	IsDecoder             bool            `json:"is_decoder"`
	AddCrossAttention     bool            `json:"add_cross_attention"`
	SlidingWindow         optionalWindow  `json:"sliding_window"`
	UseSlidingWindow      bool            `json:"use_sliding_window"`
	QuantizationConfig    map[string]any  `json:"quantization_config"`
}

type ropeFile struct {
	Theta               float64  `json:"rope_theta"`
	PartialRotaryFactor *float64 `json:"partial_rotary_factor"`
	RopeScaling
}

// An optionalWindow tells a key that is absent from one that is null.
type optionalWindow struct {
	there bool
	size  int
}

// UnmarshalJSON reads a number or null, which is 0.
func (w *optionalWindow) UnmarshalJSON(b []byte) error {
	w.there = true
	return json.Unmarshal(b, &w.size)
}

func (f foreign) check(a architecture) error {
	partial := f.PartialRotaryFactor
	if f.RopeParameters != nil && f.RopeParameters.PartialRotaryFactor != nil {
		partial = f.RopeParameters.PartialRotaryFactor
	}
	switch {
	case partial != nil && *partial != 1:
		return fmt.Errorf("partial_rotary_factor %v is not supported", *partial)
	case f.PositionEmbeddingType != nil && *f.PositionEmbeddingType != "absolute":
		return fmt.Errorf("position_embedding_type %q is not supported", *f.PositionEmbeddingType)
	case f.IsDecoder || f.AddCrossAttention:
		return fmt.Errorf("is_decoder and add_cross_attention are not supported")
	case f.SlidingWindow.size != 0 && a.decoder && !a.windows:
		return fmt.Errorf("sliding_window is not supported")
	case len(f.QuantizationConfig) > 0:
		return fmt.Errorf("quantization_config: quantized weights are not supported")
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
		return f.applyWindow(c)
	}
	return nil
}

func (f foreign) applyRope(c *Config) {
	if r := f.RopeParameters; r != nil {
		if r.Theta != 0 {
			c.RopeTheta = r.Theta
		}
		scaling := r.RopeScaling
		c.RopeScaling = &scaling
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
	if f.SlidingWindow.there {
		c.SlidingWindow = f.SlidingWindow.size
	}
	if !c.arch().alternating {
		return nil
	}
	if !f.UseSlidingWindow {
		c.SlidingWindow = 0
	}
	if c.SlidingWindow == 0 || c.LayerTypes != nil {
		return nil
	}
	return c.slideFrom()
}

// slideFrom names the layers' kinds for files from before layer_types: max_window_layers at the bottom see everything.
func (c *Config) slideFrom() error {
	full := 28
	if said, ok := c.Others["max_window_layers"]; ok {
		if err := json.Unmarshal(said, &full); err != nil {
			return fmt.Errorf("max_window_layers: %w", err)
		}
	}
	for i := range min(c.NumHiddenLayers, maxLayers) {
		kind := fullAttention
		if i >= full {
			kind = slidingAttention
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
