package model

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSavedModelsLoadWithTheSameBits(t *testing.T) {
	dev := openCPU(t)
	for _, c := range []struct {
		modelType string
		head      Head
	}{
		{Llama, HeadLM}, {Llama, HeadClassify}, {Llama, HeadNone},
		{Mistral, HeadLM}, {Qwen2, HeadNone}, {Qwen3, HeadLM}, {Gemma3, HeadLM}, {Gemma3, HeadNone},
		{Roberta, HeadClassify}, {Roberta, HeadNone}, {Bert, HeadClassify}, {Bert, HeadNone},
	} {
		saved := weights(t, mustNew(t, dev, tiny(c.modelType), c.head))
		m, err := Load(dev, tiny(c.modelType), c.head, saved)
		if err != nil {
			t.Errorf("%s with head %s: %v", c.modelType, c.head, err)
			continue
		}
		if diff := cmp.Diff(saved, weights(t, m)); diff != "" {
			t.Errorf("%s with head %s (-saved +loaded):\n%s", c.modelType, c.head, diff)
		}
		m.Close()
	}
}

func TestNamesOnSavingAreThoseOfTransformers(t *testing.T) {
	dev := openCPU(t)
	for _, name := range fixtures {
		want := readWeights(t, filepath.Join("testdata", name))
		if diff := cmp.Diff(want, weights(t, loadFixture(t, dev, name).Model)); diff != "" {
			t.Errorf("%s (-transformers +saved):\n%s", name, diff)
		}
	}
	if _, bare := weights(t, mustNew(t, dev, tiny(Roberta), HeadNone))["encoder.layer.1.output.LayerNorm.bias"]; !bare {
		t.Error("a model without a head keeps the prefix of one with a head")
	}
}

func TestAnEncoderWithoutAHeadKeepsItsPooler(t *testing.T) {
	dev := openCPU(t)
	for _, modelType := range []string{Roberta, Bert} {
		saved := weights(t, mustNew(t, dev, tiny(modelType), HeadNone))
		for name, shape := range map[string][]int{"pooler.dense.weight": {16, 16}, "pooler.dense.bias": {16}} {
			saved[name] = NamedTensor{name, shape, slices.Repeat([]float32{3}, (&part{shape: shape}).size())}
		}
		m, err := Load(dev, tiny(modelType), HeadNone, saved)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(saved, weights(t, m)); diff != "" {
			t.Errorf("%s (-loaded +saved):\n%s", modelType, diff)
		}
		m.Close()
		_, err = Load(dev, tiny(modelType), HeadNone, saved.with("pooler.dense.bias", 15))
		if err == nil || !strings.Contains(err.Error(), "pooler.dense.bias has shape [15]") {
			t.Errorf("%s: error %v", modelType, err)
		}
	}
}

// renamed copies a source under other names; an empty name drops the tensor.
func (s stored) renamed(f func(string) string) stored {
	c := stored{}
	for _, name := range s.Names() {
		if to := f(name); to != "" {
			c[to] = s[name]
		}
	}
	return c
}

func (s stored) with(name string, shape ...int) stored {
	c := s.renamed(func(name string) string { return name })
	c[name] = NamedTensor{Name: name, Shape: shape}
	return c
}

func without(prefix string) func(string) string {
	return func(name string) string {
		if strings.HasPrefix(name, prefix) {
			return ""
		}
		return name
	}
}

func TestLoadNamesTensorsThatDoNotFit(t *testing.T) {
	dev := openCPU(t)
	llama := weights(t, mustNew(t, dev, tiny(Llama), HeadLM))
	reward := weights(t, mustNew(t, dev, tiny(Llama), HeadClassify))
	for _, c := range []struct {
		want string
		head Head
		src  stored
		opts []Option
	}{
		{"tensor model.norm.weight is missing", HeadLM, llama.renamed(without("model.norm")), nil},
		{"tensor lm_head.weight is missing", HeadLM, llama.renamed(without("lm_head")), nil},
		{"tensor model.norm.weight has shape [4], the configuration wants [16]", HeadLM,
			llama.with("model.norm.weight", 4), nil},
		{"tensor model.layers.2.extra is no part of a llama with head lm", HeadLM,
			llama.with("model.layers.2.extra", 4), nil},
		{"tensor lm_head.bias is no part of a llama with head lm", HeadLM, llama.with("lm_head.bias", 31), nil},
		{"tensors model.norm.weight and norm.weight are the same", HeadLM, llama.with("norm.weight", 16), nil},
		{"tensor score.weight is missing", HeadClassify, llama, nil},
		{"tensor score.weight has shape [2 16], the configuration wants [3 16]", HeadClassify,
			reward.with("score.weight", 2, 16), []Option{InitHead(1)}},
		{"and 13 more", HeadLM, stored{}, nil},
	} {
		_, err := Load(dev, tiny(Llama), c.head, c.src, c.opts...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Load says %v, want %s", err, c.want)
		}
	}
}

func TestABaseModelGetsAClassificationHead(t *testing.T) {
	dev := openCPU(t)
	for _, c := range []struct {
		modelType string
		head      []string
		base      func(name string) string // names in the base model's file; "" is not there
		others    map[string][]int         // what such files hold beside
	}{
		{Llama, []string{"score."}, func(name string) string { return name },
			map[string][]int{"lm_head.weight": {31, 16}, "model.layers.0.self_attn.rotary_emb.inv_freq": {3}}},
		{Roberta, []string{"classifier."}, func(name string) string { return strings.TrimPrefix(name, "roberta.") },
			map[string][]int{"pooler.dense.weight": {16, 16}, "embeddings.position_ids": {1, 40}}},
		{Roberta, []string{"classifier."}, func(name string) string { return name }, map[string][]int{"lm_head.bias": {31}}},
		{Bert, []string{"classifier.", "bert.pooler."}, func(name string) string {
			return strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta").Replace(name)
		}, map[string][]int{"cls.predictions.bias": {31}}},
	} {
		whole := weights(t, mustNew(t, dev, tiny(c.modelType), HeadClassify))
		base := whole.renamed(func(name string) string {
			if slices.ContainsFunc(c.head, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
				return ""
			}
			return c.base(name)
		})
		for name, shape := range c.others {
			base = base.with(name, shape...)
		}
		m, err := Load(dev, tiny(c.modelType), HeadClassify, base, InitHead(5))
		if err != nil {
			t.Errorf("%s: %v", c.modelType, err)
			continue
		}
		if diff := cmp.Diff(whole, weights(t, m)); diff != "" { // both heads come from seed 5
			t.Errorf("%s (-new +loaded):\n%s", c.modelType, diff)
		}
		m.Close()
	}
}

func TestAFrozenModelHasNoGradients(t *testing.T) {
	dev := openCPU(t)
	m := mustNew(t, dev, tiny(Llama), HeadLM, Frozen())
	if m.Params().Grad.Present() || m.Params().All()[0].Grad.Present() {
		t.Error("a frozen model has gradients")
	}
}
