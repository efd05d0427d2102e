package model

import "slices"

// The model types of config.json that this package computes.
const (
	Gemma2  = "gemma2"
	Gemma3  = "gemma3_text"
	Llama   = "llama"
	Mistral = "mistral"
	Qwen2   = "qwen2"
	Qwen3   = "qwen3"
	Roberta = "xlm-roberta"
	Bert    = "bert"
)

// An architecture is what a model type means beyond the keys of its configuration.
type architecture struct {
	decoder bool
	prefix  string          // of the base model's tensors in files of a model with a head
	classes map[Head]string // names in config.json
	traits
	defaults func() Config // of keys that a file leaves out
}

// traits tell decoders apart that all are Llama at heart.
type traits struct {
	biasedQKV     bool // queries, keys and values have a bias, whatever the configuration says
	attentionBias bool // the key attention_bias counts
	mlpBias       bool // the key mlp_bias counts
	windows       bool // the key sliding_window counts
	alternating   bool // so does layer_types
	fullEach      int  // without layer_types, each so many-th layer sees everything; 0: the first max_window_layers do
	headNorms     bool // queries and keys are normed
	localRope     bool // the key rope_local_base_freq counts
	limits        bool // the keys attn_logit_softcapping and final_logit_softcapping count

	// gemma is what Gemma does otherwise: norms from one, also behind attention and feed-forward part, gates by GELU,
	// embeddings scaled by the root of their width, a scale of attention by a key.
	gemma bool
}

// architectures are all that this package computes, by model type.
var architectures = map[string]architecture{
	Llama: {
		decoder: true, prefix: "model.", classes: decoderClasses("Llama"),
		traits: traits{attentionBias: true, mlpBias: true},
		defaults: func() Config {
			return Config{
				HiddenAct: "silu", RMSNormEps: 1e-6, RopeTheta: 10000, MaxPositionEmbeddings: 2048,
				BosTokenID: present(1), EosTokenID: TokenIDs{2},
			}
		},
	},
	Mistral: {
		decoder: true, prefix: "model.", classes: decoderClasses("Mistral"), traits: traits{windows: true},
		defaults: func() Config {
			return Config{
				HiddenAct: "silu", RMSNormEps: 1e-6, RopeTheta: 10000, MaxPositionEmbeddings: 4096 * 32,
				NumKeyValueHeads: 8, SlidingWindow: 4096, BosTokenID: present(1), EosTokenID: TokenIDs{2},
			}
		},
	},
	Qwen2: {
		decoder: true, prefix: "model.", classes: decoderClasses("Qwen2"),
		traits: traits{biasedQKV: true, windows: true, alternating: true},
		defaults: func() Config {
			return Config{
				HiddenAct: "silu", RMSNormEps: 1e-6, RopeTheta: 10000, MaxPositionEmbeddings: 32768,
				NumKeyValueHeads: 32, SlidingWindow: 4096,
			}
		},
	},
	Qwen3: {
		decoder: true, prefix: "model.", classes: decoderClasses("Qwen3"),
		traits: traits{attentionBias: true, windows: true, alternating: true, headNorms: true},
		defaults: func() Config {
			return Config{
				HiddenAct: "silu", RMSNormEps: 1e-6, RopeTheta: 10000, MaxPositionEmbeddings: 32768,
				NumKeyValueHeads: 32, HeadDim: 128, SlidingWindow: 4096,
			}
		},
	},
	Gemma2: {
		decoder: true, prefix: "model.", classes: decoderClasses("Gemma2"),
		traits: traits{attentionBias: true, windows: true, alternating: true, fullEach: 2, gemma: true, limits: true},
		defaults: func() Config {
			return Config{
				HiddenActivation: "gelu_pytorch_tanh", RMSNormEps: 1e-6, RopeTheta: 10000, MaxPositionEmbeddings: 8192,
				NumKeyValueHeads: 4, HeadDim: 256, QueryPreAttnScalar: 256, SlidingWindow: 4096, AttentionLimit: 50,
				LogitLimit: 30, TieWordEmbeddings: true, PadTokenID: present(0), BosTokenID: present(2),
				EosTokenID: TokenIDs{1},
			}
		},
	},
	Gemma3: {
		decoder: true, prefix: "model.",
		classes: map[Head]string{
			HeadLM:       "Gemma3ForCausalLM",
			HeadClassify: "Gemma3TextForSequenceClassification",
			HeadNone:     "Gemma3TextModel",
		},
		traits: traits{
			attentionBias: true, windows: true, alternating: true, fullEach: 6, headNorms: true,
			gemma: true, localRope: true,
		},
		defaults: func() Config {
			return Config{
				HiddenActivation: "gelu_pytorch_tanh", RMSNormEps: 1e-6, RopeTheta: 1e6, LocalRopeTheta: 10000,
				MaxPositionEmbeddings: 131072, NumKeyValueHeads: 4, HeadDim: 256, QueryPreAttnScalar: 256,
				SlidingWindow: 4096, TieWordEmbeddings: true,
				PadTokenID: present(0), BosTokenID: present(2), EosTokenID: TokenIDs{1},
			}
		},
	},
	Roberta: {
		prefix: "roberta.",
		classes: map[Head]string{
			HeadClassify: "XLMRobertaForSequenceClassification",
			HeadNone:     "XLMRobertaModel",
		},
		defaults: func() Config {
			return Config{
				HiddenAct: "gelu", LayerNormEps: 1e-12, MaxPositionEmbeddings: 512, TypeVocabSize: 2,
				TieWordEmbeddings: true, PadTokenID: present(1), BosTokenID: present(0), EosTokenID: TokenIDs{2},
			}
		},
	},
	Bert: {
		prefix:  "bert.",
		classes: map[Head]string{HeadClassify: "BertForSequenceClassification", HeadNone: "BertModel"},
		defaults: func() Config {
			return Config{
				HiddenAct: "gelu", LayerNormEps: 1e-12, MaxPositionEmbeddings: 512, TypeVocabSize: 2,
				TieWordEmbeddings: true, PadTokenID: present(0),
			}
		},
	},
}

// notComputed are model types that are close to those above, and what is missing here.
var notComputed = map[string]string{
	"gemma3": "it reads images; its text model alone is a gemma3_text",
}

func decoderClasses(name string) map[Head]string {
	return map[Head]string{
		HeadLM:       name + "ForCausalLM",
		HeadClassify: name + "ForSequenceClassification",
		HeadNone:     name + "Model",
	}
}

// modelTypes are the names of all architectures, sorted.
func modelTypes() []string {
	var names []string
	for name := range architectures {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (c Config) arch() architecture { return architectures[c.ModelType] }

func defaults(modelType string) Config {
	var c Config
	if a, known := architectures[modelType]; known {
		c = a.defaults()
	}
	c.ModelType, c.InitializerRange, c.NumLabels = modelType, 0.02, 2
	return c
}
