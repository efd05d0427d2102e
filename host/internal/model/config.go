package model

import (
	"encoding/json"
	"fmt"
)

// A Config is the config.json of a Hugging Face model directory, as far as it bears on the computation. Keys that are
// absent in a file have the defaults of transformers for its model_type.
type Config struct {
	Architectures []string `json:"architectures,omitempty"`
	ModelType     string   `json:"model_type"`

	VocabSize             int `json:"vocab_size"`
	HiddenSize            int `json:"hidden_size"`
	IntermediateSize      int `json:"intermediate_size"`
	NumHiddenLayers       int `json:"num_hidden_layers"`
	NumAttentionHeads     int `json:"num_attention_heads"`
	NumKeyValueHeads      int `json:"num_key_value_heads,omitempty"` // decoders
	HeadDim               int `json:"head_dim,omitempty"`            // decoders
	MaxPositionEmbeddings int `json:"max_position_embeddings"`
	TypeVocabSize         int `json:"type_vocab_size,omitempty"` // encoders

	HiddenAct        string  `json:"hidden_act,omitempty"`
	HiddenActivation string  `json:"hidden_activation,omitempty"` // Gemma's name of it
	InitializerRange float64 `json:"initializer_range"`
	RMSNormEps       float64 `json:"rms_norm_eps,omitempty"`   // decoders
	LayerNormEps     float64 `json:"layer_norm_eps,omitempty"` // encoders

	RopeTheta      float64      `json:"rope_theta,omitempty"` // decoders
	RopeScaling    *RopeScaling `json:"rope_scaling,omitempty"`
	LocalRopeTheta float64      `json:"rope_local_base_freq,omitempty"` // Gemma: of layers that see a window, unscaled

	// Gemma 2: what scores of attention and logits are bent to, attn_logit_softcapping and final_logit_softcapping; the
	// file has null for 0, which is no limit.
	AttentionLimit float64 `json:"-"`
	LogitLimit     float64 `json:"-"`

	QueryPreAttnScalar float64 `json:"query_pre_attn_scalar,omitempty"` // Gemma: its inverse root scales attention

	// How far back the tokens of a layer see: SlidingWindow, itself included, where it is not 0 and LayerTypes, which
	// name every layer's kind or are absent, do not say full_attention.
	SlidingWindow int      `json:"-"` // the file has null for 0
	LayerTypes    []string `json:"layer_types,omitempty"`

	AttentionBias     bool `json:"attention_bias,omitempty"`
	MLPBias           bool `json:"mlp_bias,omitempty"`
	TieWordEmbeddings bool `json:"tie_word_embeddings"`

	NumLabels   int               `json:"-"` // outputs of a classification head; the file has id2label
	ID2Label    map[string]string `json:"id2label,omitempty"`
	ProblemType string            `json:"problem_type,omitempty"`

	// Absent ids are written as null, because for a missing key transformers has ids of its own.
	PadTokenID *int32   `json:"pad_token_id"`
	BosTokenID *int32   `json:"bos_token_id"`
	EosTokenID TokenIDs `json:"eos_token_id"`

	TorchDtype string `json:"torch_dtype,omitempty"` // transformers 5 calls it dtype and reads both

	// Others are keys that do not bear on the computation; they are written as they were read.
	Others map[string]json.RawMessage `json:"-"`
}

// TokenIDs is no token id, one, or a list of them.
type TokenIDs []int32

// MarshalJSON writes a single id as a number, and none as null.
func (ids TokenIDs) MarshalJSON() ([]byte, error) {
	if len(ids) == 1 {
		return json.Marshal(ids[0])
	}
	return json.Marshal([]int32(ids))
}

// UnmarshalJSON reads a number, a list of numbers, or null.
func (ids *TokenIDs) UnmarshalJSON(b []byte) error {
	var one int32
	if string(b) != "null" && json.Unmarshal(b, &one) == nil {
		*ids = TokenIDs{one}
		return nil
	}
	return json.Unmarshal(b, (*[]int32)(ids))
}

// UnmarshalJSON reads a config.json over the defaults of its model_type. It understands both forms of the rotary keys:
// rope_theta and rope_scaling, and the rope_parameters of transformers 5. What would change the computation in a way
// that this package does not know is an error.
func (c *Config) UnmarshalJSON(b []byte) error {
	var head struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return err
	}
	type plain Config
	p := plain(defaults(head.ModelType))
	file := struct {
		*plain
		foreign
	}{plain: &p}
	if err := json.Unmarshal(b, &file); err != nil {
		return err
	}
	if err := file.foreign.check(architectures[head.ModelType]); err != nil {
		return err
	}
	*c = Config(p)
	if err := c.keepOthers(b); err != nil {
		return err
	}
	return file.foreign.apply(c)
}

// MarshalJSON writes a config.json for transformers 4 and 5.
func (c Config) MarshalJSON() ([]byte, error) {
	type plain Config
	file := struct {
		plain
		written
	}{plain(c), c.written()}
	if c.Head() == HeadClassify {
		file.ID2Label, file.Label2ID = c.labels()
	}
	known, err := json.Marshal(file)
	if err != nil || len(c.Others) == 0 {
		return known, err
	}
	others, err := json.Marshal(c.Others)
	return append(append(known[:len(known)-1], ','), others[1:]...), err
}

func (c Config) labels() (names map[string]string, ids map[string]int) {
	names, ids = map[string]string{}, map[string]int{}
	for i := range c.NumLabels {
		name, named := c.ID2Label[fmt.Sprint(i)]
		if !named {
			name = fmt.Sprintf("LABEL_%d", i)
		}
		names[fmt.Sprint(i)], ids[name] = name, i
	}
	return names, ids
}
