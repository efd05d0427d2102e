package model

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

func TestConfigFilesOfBothMajorVersionsSayTheSame(t *testing.T) {
	const common = `{"model_type": "llama", "vocab_size": 9, "hidden_size": 8, "intermediate_size": 8,
		"num_hidden_layers": 1, "num_attention_heads": 2, "architectures": ["LlamaForCausalLM"],
		"eos_token_id": [2, 5], "pad_token_id": null, "torch_dtype": "bfloat16", `
	four, five := Config{}, Config{}
	decode(t, common+`"rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2.0}}`, &four)
	decode(t, common+`"rope_parameters": {"rope_theta": 5e5, "rope_type": "linear", "factor": 2.0}}`, &five)
	if diff := cmp.Diff(four, five); diff != "" {
		t.Errorf("(-version 4 +version 5):\n%s", diff)
	}
	want := Config{
		Architectures: []string{"LlamaForCausalLM"}, ModelType: Llama, VocabSize: 9, HiddenSize: 8, IntermediateSize: 8,
		NumHiddenLayers: 1, NumAttentionHeads: 2, NumKeyValueHeads: 2, HeadDim: 4, MaxPositionEmbeddings: 2048,
		HiddenAct: "silu", InitializerRange: 0.02, RMSNormEps: 1e-6, RopeTheta: 5e5,
		RopeScaling: &RopeScaling{Type: "linear", Factor: 2}, NumLabels: 2, EosTokenID: TokenIDs{2, 5},
		BosTokenID: pointer(int32(1)), TorchDtype: "bfloat16",
	}
	if diff := cmp.Diff(want, four); diff != "" {
		t.Errorf("(-want +read):\n%s", diff)
	}
	if err := four.Validate(); err != nil {
		t.Error(err)
	}
}

func TestOneFileDoesNotChangeTheDefaultsOfTheNext(t *testing.T) {
	for _, modelType := range modelTypes() {
		before := defaults(modelType)
		var c Config
		decode(t, `{"model_type": "`+modelType+`", "pad_token_id": 77, "bos_token_id": 8, "eos_token_id": [79, 80]}`, &c)
		if diff := cmp.Diff(before, defaults(modelType)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", modelType, diff)
		}
	}
}

func TestLimitsThatAreNullStayNull(t *testing.T) {
	var c Config
	decode(t, `{"model_type": "gemma2", "attn_logit_softcapping": null}`, &c)
	if c.AttentionLimit != 0 || c.LogitLimit != 30 {
		t.Errorf("limits %g and %g", c.AttentionLimit, c.LogitLimit)
	}
	text, err := json.Marshal(c)
	if err != nil || !strings.Contains(string(text), `"attn_logit_softcapping":null,"final_logit_softcapping":30`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestRotaryKeysOfEachKindOfLayer(t *testing.T) {
	four, five := Config{}, Config{}
	decode(t, `{"model_type": "gemma3_text", "rope_theta": 5e5, "rope_local_base_freq": 200,
		"rope_scaling": {"rope_type": "linear", "factor": 8}}`, &four)
	decode(t, `{"model_type": "gemma3_text", "rope_parameters": {
		"full_attention": {"rope_theta": 5e5, "rope_type": "linear", "factor": 8},
		"sliding_attention": {"rope_theta": 200, "rope_type": "default"}}}`, &five)
	if diff := cmp.Diff(four, five); diff != "" {
		t.Errorf("(-version 4 +version 5):\n%s", diff)
	}
	if four.RopeTheta != 5e5 || four.LocalRopeTheta != 200 || four.RopeScaling.Factor != 8 {
		t.Errorf("%+v", four)
	}
}

func decode(t *testing.T, text string, c *Config) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), c); err != nil {
		t.Fatal(err)
	}
}

func TestConfigsSurviveWritingAndReading(t *testing.T) {
	for _, name := range fixtures {
		want := readConfig(t, filepath.Join("testdata", name, "config.json"))
		if err := want.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Config
		decode(t, string(text), &got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-before +after):\n%s", name, diff)
		}
	}
}

func TestKeysThatNothingHereReadsSurvive(t *testing.T) {
	var c Config
	decode(t, `{"model_type": "mistral", "sliding_window": null, "use_cache": true, "transformers_version": "4.51.0",
		"attention_dropout": 0.0, "dtype": "bfloat16", "Hidden_Size": 8, "auto": {"z": [1, null], "a": "<"}}`, &c)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"use_cache": "true", "transformers_version": `"4.51.0"`, "attention_dropout": "0.0",
		"sliding_window": "null", "hidden_size": "8", "Hidden_Size": "", "dtype": "", "use_sliding_window": "",
	} {
		if got := string(keys[key]); got != want {
			t.Errorf("%s is written as %s, want %s", key, got, want)
		}
	}
	if !strings.Contains(string(text), `{"z":[1,null],"a":`) {
		t.Errorf("%s lost the order of an object", text)
	}
}

func TestEveryWayToSayWhichLayersSlide(t *testing.T) {
	for text, want := range map[string][]int{
		`"model_type": "llama"`:                                                         {0, 0, 0},
		`"model_type": "mistral"`:                                                       {4096, 4096, 4096},
		`"model_type": "mistral", "sliding_window": null`:                               {0, 0, 0},
		`"model_type": "mistral", "sliding_window": 8`:                                  {8, 8, 8},
		`"model_type": "qwen2", "sliding_window": 8`:                                    {0, 0, 0},
		`"model_type": "qwen2", "sliding_window": 8, "use_sliding_window": true`:        {0, 0, 0},
		`"model_type": "qwen2", "use_sliding_window": true, "max_window_layers":1`:      {0, 4096, 4096},
		`"model_type": "gemma3_text", "sliding_window": 7, "sliding_window_pattern": 2`: {7, 0, 7},
		`"model_type": "gemma3_text"`:                                                   {4096, 4096, 4096},
		`"model_type": "qwen3", "use_sliding_window": true, "sliding_window": 5,
			"layer_types": ["sliding_attention", "full_attention", "sliding_attention"]`: {5, 0, 5},
	} {
		var c Config
		decode(t, `{"num_hidden_layers": 3, `+text+`}`, &c)
		for range 2 {
			var got []int
			for i := range c.NumHiddenLayers {
				got = append(got, c.window(i))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +read):\n%s", text, diff)
			}
			again, err := json.Marshal(c) // what is written says the same
			if err != nil {
				t.Fatal(err)
			}
			c = Config{}
			decode(t, string(again), &c)
		}
	}
}

func TestLabelsAreWrittenForClassifiersOnly(t *testing.T) {
	c := tiny(Bert)
	c.ID2Label, c.NumLabels = map[string]string{"0": "bad"}, 2
	text, err := json.Marshal(c.WithHead(HeadClassify))
	if err != nil || !strings.Contains(string(text), `"id2label":{"0":"bad","1":"LABEL_1"}`) ||
		!strings.Contains(string(text), `"label2id":{"LABEL_1":1,"bad":0}`) {
		t.Errorf("%s, %v", text, err)
	}
	c.ID2Label = nil
	if text, err = json.Marshal(c.WithHead(HeadNone)); err != nil || strings.Contains(string(text), "label") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestConfigsThatComputeSomethingElseAreRefused(t *testing.T) {
	for key, want := range map[string]string{
		`"partial_rotary_factor": 0.5`:                                          "partial_rotary_factor 0.5",
		`"rope_parameters": {"partial_rotary_factor": 0.5}`:                     "partial_rotary_factor 0.5",
		`"position_embedding_type": "relative_key"`:                             `position_embedding_type "relative_key"`,
		`"is_decoder": true`:                                                    "is_decoder",
		`"use_bidirectional_attention": true`:                                   "use_bidirectional_attention",
		`"final_logit_softcapping": 30.0`:                                       "final_logit_softcapping",
		`"rope_parameters": {"sliding_attention": {}}`:                          "sliding_attention",
		`"rope_parameters": {"full_attention": {"partial_rotary_factor": 0.5}}`: "partial_rotary_factor 0.5",
		`"sliding_window": 4096`:                                                "sliding_window",
		`"quantization_config": {"bits": 4}`:                                    "quantized",
		`"num_labels": 3, "id2label": {"0": "a", "1": "b"}`:                     "num_labels is 3, but id2label has 2",
		`"vocab_size": "many"`:                                                  "vocab_size",
		`"eos_token_id": "end"`:                                                 "cannot unmarshal string",
	} {
		var c Config
		err := json.Unmarshal([]byte(`{"model_type": "llama", `+key+`}`), &c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", key, err, want)
		}
	}
}

func TestValidateNamesEveryKeyThatIsWrong(t *testing.T) {
	for _, c := range []struct {
		modelType string
		spoil     func(c *Config)
		want      []string
	}{
		{Llama, func(c *Config) { c.ModelType = "gpt2" },
			[]string{`model_type "gpt2" is not one of bert, gemma2, gemma3_text, llama`}},
		{Llama, func(c *Config) { c.VocabSize, c.HiddenSize, c.NumHiddenLayers = 0, maxWidth+1, -1 },
			[]string{"vocab_size 0 is not in", "hidden_size 1048577 is not in", "num_hidden_layers -1 is not in"}},
		{Llama, func(c *Config) { c.NumKeyValueHeads = 3 }, []string{"4 is not a multiple of num_key_value_heads 3"}},
		{Llama, func(c *Config) { c.NumKeyValueHeads = 0 }, []string{"num_key_value_heads 0"}},
		{Llama, func(c *Config) { c.HeadDim = 5 }, []string{"head_dim 5 is odd"}},
		{Llama, func(c *Config) { c.HiddenAct = "relu" }, []string{`hidden_act "relu" is not silu`}},
		{Llama, func(c *Config) { c.RMSNormEps, c.RopeTheta = 0, -1 }, []string{"rms_norm_eps 0", "rope_theta -1"}},
		{Llama, func(c *Config) { c.RopeScaling = &RopeScaling{Type: "longrope"} }, []string{`rope_type "longrope"`}},
		{Llama, func(c *Config) {
			c.RopeScaling = &RopeScaling{Type: ropeLlama3, Factor: 0.5, LowFreqFactor: 4, HighFreqFactor: 1}
		},
			[]string{"factor 0.5 is not in 1..", "high_freq_factor 1 is not above low_freq_factor 4"}},
		{Llama, func(c *Config) { c.RopeScaling = &RopeScaling{Type: ropeDynamic, Factor: 1e6} },
			[]string{"stretched context exceeds"}},
		{Llama, func(c *Config) {
			c.EosTokenID, c.BosTokenID, c.PadTokenID = TokenIDs{1, 31}, pointer(int32(-1)), pointer(int32(40))
		},
			[]string{"eos_token_id 31", "bos_token_id -1", "pad_token_id 40"}},
		{Llama, func(c *Config) { *c = c.WithHead(HeadClassify); c.NumLabels = 0 }, []string{"number of labels 0"}},
		{Llama, func(c *Config) { c.InitializerRange = 0 }, []string{"initializer_range 0"}},
		{Bert, func(c *Config) { c.NumAttentionHeads = 3 }, []string{"16 is not a multiple of num_attention_heads 3"}},
		{Bert, func(c *Config) { c.HiddenAct, c.TypeVocabSize, c.LayerNormEps = "gelu_new", 0, 0 },
			[]string{`hidden_act "gelu_new" is not gelu`, "type_vocab_size 0", "layer_norm_eps 0"}},
		{Mistral, func(c *Config) { c.SlidingWindow, c.LayerTypes = -1, []string{slidingAttention, fullAttention} },
			[]string{"sliding_window -1 is not", "layer_types are not supported for mistral"}},
		{Qwen3, func(c *Config) {
			c.SlidingWindow, c.LayerTypes = 0, []string{slidingAttention, "chunked", fullAttention}
		},
			[]string{"layer_types names 3 layers of 2", `"chunked" of layer 1 is not supported`, "layer 0 slides without"}},
		{Roberta, func(c *Config) { c.MaxPositionEmbeddings = 2 }, []string{"max_position_embeddings 2 leaves no room"}},
		{Roberta, func(c *Config) { c.PadTokenID = nil }, []string{"pad_token_id, which is missing"}},
	} {
		cfg := tiny(c.modelType)
		if err := cfg.Validate(); err != nil {
			t.Fatalf("%s before: %v", c.modelType, err)
		}
		c.spoil(&cfg)
		err := cfg.Validate()
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Validate says %v, want %s", err, want)
			}
		}
	}
}

func TestHeadsThatAModelTypeLacksAreErrors(t *testing.T) {
	_, err := New(openCPU(t), tiny(Bert), HeadLM, 1)
	if err == nil || !strings.Contains(err.Error(), `type bert has no head "lm"`) {
		t.Errorf("New says %v", err)
	}
	for _, modelType := range modelTypes() {
		for head := range architectures[modelType].classes {
			if got := tiny(modelType).WithHead(head).Head(); got != head {
				t.Errorf("%s with head %s says it has %s", modelType, head, got)
			}
		}
	}
}

func TestRecipesFillInWhatTheyLeaveOut(t *testing.T) {
	ids := Special{PAD: 0, BOS: 1, EOS: 2}
	least := recipe.Model{Arch: Llama, Layers: 6, Hidden: 256, Heads: 8, Context: 512, RopeTheta: 1e4}
	llama := ConfigFromRecipe(least, 8192, ids)
	if llama.IntermediateSize != 704 || llama.NumKeyValueHeads != 8 || llama.HeadDim != 32 || !llama.TieWordEmbeddings {
		t.Errorf("%+v", llama)
	}
	untied := recipe.Model{
		Arch: Llama, Layers: 1, Hidden: 64, Heads: 4, KVHeads: 2, Inner: 96, Context: 128, RopeTheta: 5e5,
		TieEmbedding: pointer(false),
	}
	small := ConfigFromRecipe(untied, 100, Special{PAD: -1, BOS: -1, EOS: 3})
	if small.TieWordEmbeddings || small.NumKeyValueHeads != 2 || small.IntermediateSize != 96 || small.PadTokenID != nil ||
		small.BosTokenID != nil || !cmp.Equal(small.EosTokenID, TokenIDs{3}) || small.RopeTheta != 5e5 {
		t.Errorf("%+v", small)
	}
	encoder := recipe.Model{Arch: Roberta, Layers: 4, Hidden: 192, Heads: 6, Context: 512, Outputs: 3}
	roberta := ConfigFromRecipe(encoder, 8192, Special{PAD: 4, BOS: 1, EOS: 2})
	if roberta.IntermediateSize != 768 || roberta.MaxPositionEmbeddings != 517 || roberta.NumLabels != 3 {
		t.Errorf("%+v", roberta)
	}
	encoder.Arch = Bert
	bert := ConfigFromRecipe(encoder, 8192, ids)
	for _, c := range []Config{llama, small, roberta, bert} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", c.ModelType, err)
		}
		if want := map[bool]int{true: 128, false: 512}[c.VocabSize == 100]; c.Context() != want {
			t.Errorf("%s: context %d, want %d", c.ModelType, c.Context(), want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	for _, modelType := range modelTypes() {
		text, err := json.Marshal(tiny(modelType))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"model_type": "llama", "rope_parameters": {"rope_type": "dynamic", "factor": 1e300}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c Config
		if json.Unmarshal(text, &c) != nil || c.Validate() != nil {
			return
		}
		if c.Context() < 1 || c.NumHiddenLayers < 100 && c.Parameters() < 1 {
			t.Errorf("%s: a valid configuration with context %d", text, c.Context())
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var back Config
		if err := json.Unmarshal(again, &back); err != nil {
			t.Errorf("%s is written as %s: %v", text, again, fmt.Errorf("read back: %w", err))
		}
	})
}
