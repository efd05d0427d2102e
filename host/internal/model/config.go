package model

import (
	"encoding/json"
	"fmt"
)

// The model types of config.json that this package computes.
const (
	Llama   = "llama"
	Roberta = "xlm-roberta"
	Bert    = "bert"
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
	NumKeyValueHeads      int `json:"num_key_value_heads,omitempty"` // llama
	HeadDim               int `json:"head_dim,omitempty"`            // llama
	MaxPositionEmbeddings int `json:"max_position_embeddings"`
	TypeVocabSize         int `json:"type_vocab_size,omitempty"` // encoders

	HiddenAct        string  `json:"hidden_act"`
	InitializerRange float64 `json:"initializer_range"`
	RMSNormEps       float64 `json:"rms_norm_eps,omitempty"`   // llama
	LayerNormEps     float64 `json:"layer_norm_eps,omitempty"` // encoders

	RopeTheta   float64      `json:"rope_theta,omitempty"` // llama
	RopeScaling *RopeScaling `json:"rope_scaling,omitempty"`

	AttentionBias     bool `json:"attention_bias,omitempty"` // llama
	MLPBias           bool `json:"mlp_bias,omitempty"`       // llama
	TieWordEmbeddings bool `json:"tie_word_embeddings"`

	NumLabels   int               `json:"-"` // outputs of a classification head; the file has id2label
	ID2Label    map[string]string `json:"id2label,omitempty"`
	ProblemType string            `json:"problem_type,omitempty"`

	// Absent ids are written as null, because for a missing key transformers has ids of its own.
	PadTokenID *int32   `json:"pad_token_id"`
	BosTokenID *int32   `json:"bos_token_id"`
	EosTokenID TokenIDs `json:"eos_token_id"`

	TorchDtype string `json:"torch_dtype,omitempty"`
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
	if err := file.foreign.check(); err != nil {
		return err
	}
	*c = Config(p)
	return file.foreign.apply(c)
}

// MarshalJSON writes a config.json for transformers 4 and 5.
func (c Config) MarshalJSON() ([]byte, error) {
	type plain Config
	file := struct {
		plain
		Label2ID map[string]int `json:"label2id,omitempty"`
	}{plain: plain(c)}
	if c.Head() == HeadClassify {
		file.ID2Label, file.Label2ID = c.labels()
	}
	return json.Marshal(file)
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

func defaults(modelType string) Config {
	c := Config{ModelType: modelType, InitializerRange: 0.02, NumLabels: 2}
	switch modelType {
	case Llama:
		c.HiddenAct, c.RMSNormEps, c.RopeTheta, c.MaxPositionEmbeddings = "silu", 1e-6, 10000, 2048
		c.BosTokenID, c.EosTokenID = present(1), TokenIDs{2}
	case Roberta, Bert:
		c.HiddenAct, c.LayerNormEps, c.MaxPositionEmbeddings, c.TypeVocabSize = "gelu", 1e-12, 512, 2
		c.TieWordEmbeddings = true
		c.PadTokenID = present(0)
		if modelType == Roberta {
			c.PadTokenID, c.BosTokenID, c.EosTokenID = present(1), present(0), TokenIDs{2}
		}
	}
	return c
}

// foreign holds the keys of config.json that this package reads but does not write, or refuses.
type foreign struct {
	NumLabels             *int           `json:"num_labels"`
	RopeParameters        *ropeFile      `json:"rope_parameters"`
	PartialRotaryFactor   *float64       `json:"partial_rotary_factor"`
	PositionEmbeddingType *string        `json:"position_embedding_type"`
	IsDecoder             bool           `json:"is_decoder"`
	AddCrossAttention     bool           `json:"add_cross_attention"`
	SlidingWindow         *int           `json:"sliding_window"`
	QuantizationConfig    map[string]any `json:"quantization_config"`
}

type ropeFile struct {
	Theta               float64  `json:"rope_theta"`
	PartialRotaryFactor *float64 `json:"partial_rotary_factor"`
	RopeScaling
}

func (f foreign) check() error {
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
	case f.SlidingWindow != nil:
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
	if c.ModelType == Llama {
		c.fillHeads()
	}
	return nil
}

// fillHeads sets what llama derives from other keys.
func (c *Config) fillHeads() {
	if c.NumKeyValueHeads == 0 {
		c.NumKeyValueHeads = c.NumAttentionHeads
	}
	if c.HeadDim == 0 && c.NumAttentionHeads > 0 {
		c.HeadDim = c.HiddenSize / c.NumAttentionHeads
	}
}
