// Package llamacpp writes language models as llama.cpp loads them, in one GGUF file with the tokenizer and the chat
// template, and reads their weights back.
package llamacpp

import (
	"errors"
	"fmt"

	"github.com/carebot-llm/carebot/host/internal/model"
)

// An architecture is how llama.cpp computes a model type, as far as its files must fit.
type architecture struct {
	name        string // general.architecture
	interleaved bool   // rotary pairs are neighbours: rows of q and k change places
	normsBehind bool   // a norm stands behind attention too
	normsAdd    bool   // norms are stored as what they multiply with: one and the weight
	slowdown    bool   // reads rope_freqs.weight
}

var architectures = map[string]architecture{
	"llama":       {name: "llama", interleaved: true, slowdown: true},
	"mistral":     {name: "llama", interleaved: true, slowdown: true},
	"qwen2":       {name: "qwen2"},
	"qwen3":       {name: "qwen3"},
	"gemma3_text": {name: "gemma3", normsBehind: true, normsAdd: true},
}

// architectureOf refuses what llama.cpp computes in another way.
func architectureOf(c model.Config) (architecture, error) {
	a, ok := architectures[c.ModelType]
	switch {
	case !ok:
		return a, fmt.Errorf("models of type %s are not written for llama.cpp", c.ModelType)
	case c.Head() != model.HeadLM:
		return a, errors.New("only language models are written for llama.cpp")
	case c.SlidingWindow > 0 && a.name != "gemma3" && c.SlidingWindow < c.MaxPositionEmbeddings:
		return a, fmt.Errorf("llama.cpp gives %s models no sliding window; this one has %d of %d tokens",
			a.name, c.SlidingWindow, c.MaxPositionEmbeddings)
	case c.QueryPreAttnScalar != 0 && c.QueryPreAttnScalar != float64(c.HeadDim):
		return a, fmt.Errorf("query_pre_attn_scalar %v is not head_dim %d", c.QueryPreAttnScalar, c.HeadDim)
	}
	return a, errors.Join(checkScaling(a, c), checkPattern(a, c))
}

func checkScaling(a architecture, c model.Config) error {
	s := c.RopeScaling
	switch {
	case s == nil || s.Type == "linear":
		return nil
	case s.Type == "llama3" && a.slowdown:
		return nil
	case s.Type == "yarn" && s.AttentionFactor == nil && s.BetaFast == 0 && s.BetaSlow == 0 && s.MScale == 0 && s.MScaleAllDim == 0:
		return nil
	}
	return fmt.Errorf("rope_scaling %s with these keys is not written for llama.cpp's %s", s.Type, a.name)
}

// checkPattern holds Gemma 3 to the pattern that llama.cpp takes for granted: every sixth layer sees everything.
func checkPattern(a architecture, c model.Config) error {
	if a.name != "gemma3" {
		return nil
	}
	for i, kind := range c.LayerTypes {
		if full := (i+1)%6 == 0; full != (kind == "full_attention") {
			return fmt.Errorf("llama.cpp gives full attention to every sixth layer; layer %d is of type %s", i, kind)
		}
	}
	return nil
}
