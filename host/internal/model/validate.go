package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Head is what a model ends in.
type Head string

// The heads. HeadClassify has NumLabels outputs for a sequence; regression and reward models have one.
const (
	HeadLM       Head = "lm"
	HeadClassify Head = "classify"
	HeadNone     Head = "none"
)

// Head is the head that the architectures name; HeadNone when they name none that this package knows.
func (c Config) Head() Head {
	for _, head := range []Head{HeadLM, HeadClassify} {
		if name := c.arch().classes[head]; name != "" && slices.Contains(c.Architectures, name) {
			return head
		}
	}
	return HeadNone
}

// WithHead returns the configuration of the same model with another head.
func (c Config) WithHead(head Head) Config {
	c.Architectures = []string{c.arch().classes[head]}
	return c
}

// Context is the longest sequence in tokens.
func (c Config) Context() int {
	switch {
	case c.ModelType == Roberta:
		return c.MaxPositionEmbeddings - c.firstPosition()
	case c.RopeScaling != nil && c.RopeScaling.Type == ropeDynamic:
		return int(float64(c.MaxPositionEmbeddings) * c.RopeScaling.Factor)
	}
	return c.MaxPositionEmbeddings
}

// The kinds of layers.
const (
	fullAttention    = "full_attention"
	slidingAttention = "sliding_attention"
)

// window is how far back a token of a decoder's layer sees, itself included; 0 is everything.
func (c Config) window(layer int) int {
	if c.LayerTypes != nil && c.LayerTypes[layer] == fullAttention {
		return 0
	}
	return c.SlidingWindow
}

// firstPosition is the row of the position table that belongs to a sequence's first token: XLM-RoBERTa counts from
// behind its padding token.
func (c Config) firstPosition() int {
	if c.ModelType == Roberta && c.PadTokenID != nil {
		return int(*c.PadTokenID) + 1
	}
	return 0
}

// Limits on what a file may ask for; they keep all sizes far from overflow.
const (
	maxWidth  = 1 << 20
	maxVocab  = 1 << 24
	maxLayers = 1 << 12
	maxTokens = 1 << 24
)

// Validate reports everything that makes the configuration unusable, one error for each key.
func (c Config) Validate() error {
	if reason := notComputed[c.ModelType]; reason != "" {
		return fmt.Errorf("model_type %q is not supported: %s", c.ModelType, reason)
	}
	if _, known := architectures[c.ModelType]; !known {
		return fmt.Errorf("model_type %q is not one of %s", c.ModelType, strings.Join(modelTypes(), ", "))
	}
	errs := []error{
		within("vocab_size", c.VocabSize, maxVocab),
		within("hidden_size", c.HiddenSize, maxWidth),
		within("intermediate_size", c.IntermediateSize, maxWidth),
		within("num_hidden_layers", c.NumHiddenLayers, maxLayers),
		within("num_attention_heads", c.NumAttentionHeads, maxWidth),
		within("max_position_embeddings", c.MaxPositionEmbeddings, maxTokens),
		rule(c.Head() != HeadClassify || c.NumLabels > 0 && c.NumLabels <= maxWidth,
			"number of labels %d is not in 1..%d", c.NumLabels, maxWidth),
		rule(c.InitializerRange > 0 && c.InitializerRange <= 1, "initializer_range %v is not in (0,1]", c.InitializerRange),
	}
	errs = append(errs, c.checkIDs()...)
	if c.arch().decoder {
		return errors.Join(append(errs, c.checkDecoder()...)...)
	}
	return errors.Join(append(errs, c.checkEncoder()...)...)
}

func (c Config) checkDecoder() []error {
	errs := []error{
		within("head_dim", c.HeadDim, maxWidth),
		within("num_key_value_heads", c.NumKeyValueHeads, maxWidth),
		rule(c.NumKeyValueHeads > 0 && c.NumAttentionHeads%c.NumKeyValueHeads == 0,
			"num_attention_heads %d is not a multiple of num_key_value_heads %d", c.NumAttentionHeads, c.NumKeyValueHeads),
		rule(c.HeadDim%2 == 0, "head_dim %d is odd; rotary positions turn pairs", c.HeadDim),
		c.checkActivation(),
		rule(c.RMSNormEps > 0, "rms_norm_eps %v is not positive", c.RMSNormEps),
		rule(c.RopeTheta > 1, "rope_theta %v is not above 1", c.RopeTheta),
		rule(c.SlidingWindow >= 0 && c.SlidingWindow <= maxTokens, "sliding_window %d is not in 0..%d",
			c.SlidingWindow, maxTokens),
	}
	errs = append(errs, c.checkLayerTypes()...)
	if c.arch().gemma {
		errs = append(errs,
			rule(c.AttentionLimit >= 0 && c.LogitLimit >= 0,
				"attn_logit_softcapping and final_logit_softcapping must not be negative"),
			rule(c.LocalRopeTheta > 1 || !c.arch().localRope,
				"rope_local_base_freq %v is not above 1", c.LocalRopeTheta),
			rule(c.QueryPreAttnScalar > 0, "query_pre_attn_scalar %v is not positive", c.QueryPreAttnScalar))
	}
	if c.RopeScaling != nil {
		errs = append(errs, c.RopeScaling.validate(),
			rule(c.Context() <= maxTokens, "rope_scaling: the stretched context exceeds %d", maxTokens),
			rule(c.RopeScaling.Type != ropeDynamic || c.HeadDim > 2, "rope_scaling: dynamic needs a head_dim above 2"))
	}
	return errs
}

func (c Config) checkActivation() error {
	if c.arch().gemma {
		return rule(c.HiddenActivation == "gelu_pytorch_tanh",
			"hidden_activation %q is not gelu_pytorch_tanh", c.HiddenActivation)
	}
	return rule(c.HiddenAct == "silu", "hidden_act %q is not silu", c.HiddenAct)
}

func (c Config) checkLayerTypes() []error {
	if c.LayerTypes == nil {
		return nil
	}
	errs := []error{
		rule(c.arch().alternating, "layer_types are not supported for %s", c.ModelType),
		rule(len(c.LayerTypes) == c.NumHiddenLayers,
			"layer_types names %d layers of %d", len(c.LayerTypes), c.NumHiddenLayers),
	}
	for i, kind := range c.LayerTypes {
		slides := kind == slidingAttention
		errs = append(errs,
			rule(slides || kind == fullAttention, "layer_types: %q of layer %d is not supported", kind, i),
			rule(!slides || c.SlidingWindow > 0, "layer_types: layer %d slides without sliding_window", i))
	}
	return errs
}

func (c Config) checkEncoder() []error {
	return []error{
		within("type_vocab_size", c.TypeVocabSize, maxWidth),
		rule(c.NumAttentionHeads > 0 && c.HiddenSize%c.NumAttentionHeads == 0,
			"hidden_size %d is not a multiple of num_attention_heads %d", c.HiddenSize, c.NumAttentionHeads),
		rule(c.HiddenAct == "gelu", "hidden_act %q is not gelu", c.HiddenAct),
		rule(c.LayerNormEps > 0, "layer_norm_eps %v is not positive", c.LayerNormEps),
		rule(c.Context() > 0, "max_position_embeddings %d leaves no room behind pad_token_id", c.MaxPositionEmbeddings),
		rule(c.ModelType != Roberta || c.PadTokenID != nil,
			"xlm-roberta counts positions from pad_token_id, which is missing"),
	}
}

func (c Config) checkIDs() []error {
	inVocab := func(id int32) bool { return id >= 0 && int(id) < c.VocabSize }
	var errs []error
	for _, id := range c.EosTokenID {
		errs = append(errs, rule(inVocab(id), "eos_token_id %d is not in the vocabulary of %d", id, c.VocabSize))
	}
	if id := c.BosTokenID; id != nil {
		errs = append(errs, rule(inVocab(*id), "bos_token_id %d is not in the vocabulary of %d", *id, c.VocabSize))
	}
	if id := c.PadTokenID; id != nil {
		errs = append(errs, rule(inVocab(*id), "pad_token_id %d is not in the vocabulary of %d", *id, c.VocabSize))
	}
	return errs
}

func within(key string, n, most int) error {
	return rule(n > 0 && n <= most, "%s %d is not in 1..%d", key, n, most)
}

func rule(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, args...)
}
