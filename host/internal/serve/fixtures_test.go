package serve

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

const fixtureDir = "../model/testdata/"

// fixtures are models of package model's fixtures, whose answers by transformers are known.
func fixtures(t testing.TB, names ...string) (all []Model) {
	t.Helper()
	tok, dev, lock := numbered(t), openCPU(t), new(sync.Mutex)
	for _, name := range names {
		var cfg model.Config
		if err := checkpoint.ReadJSON(filepath.Join(fixtureDir, name, "config.json"), &cfg); err != nil {
			t.Fatal(err)
		}
		weights, err := checkpoint.OpenTensors(fixtureDir+name, "model")
		if err != nil {
			t.Fatal(err)
		}
		m, err := model.Load(dev, cfg, cfg.Head(), weights, model.Frozen())
		weights.Close()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		served := eval.Serve(name, m, tok, dev, lock)
		t.Cleanup(served.Close)
		all = append(all, Model{name, served})
	}
	return all
}

// numbered is a tokenizer of 48 words, w0 to w47, which are tokens 0 to 47. Of a pair the second text is of type 1.
func numbered(t testing.TB) *tokenizer.Tokenizer {
	t.Helper()
	vocab := map[string]int{}
	for i := range 48 {
		vocab[fmt.Sprintf("w%d", i)] = i
	}
	text := func(id string, kind int) object { return object{"Sequence": object{"id": id, "type_id": kind}} }
	raw, err := json.Marshal(object{
		"version": "1.0", "added_tokens": []object{}, "normalizer": nil, "decoder": nil,
		"pre_tokenizer": object{"type": "WhitespaceSplit"},
		"post_processor": object{"type": "TemplateProcessing", "special_tokens": object{},
			"single": []object{text("A", 0)}, "pair": []object{text("A", 0), text("B", 1)}},
		"model": object{"type": "WordPiece", "unk_token": "w0", "continuing_subword_prefix": "##",
			"max_input_chars_per_word": 100, "vocab": vocab},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tokenizer.json"), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func words(ids []int32) string {
	var all []string
	for _, id := range ids {
		all = append(all, fmt.Sprintf("w%d", id))
	}
	return strings.Join(all, " ")
}

// expected reads a tensor of what transformers computed: float32 or int32.
func expected(t *testing.T, name, tensor string) []float64 {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(fixtureDir, name, "expected.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	body := 8 + binary.LittleEndian.Uint64(file)
	var header map[string]struct {
		DType   string
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(file[8:body], &header); err != nil {
		t.Fatal(err)
	}
	var values []float64
	h := header[tensor]
	for raw := file[body:][h.Offsets[0]:h.Offsets[1]]; len(raw) > 0; raw = raw[4:] {
		bits := binary.LittleEndian.Uint32(raw)
		if h.DType == "I32" {
			values = append(values, float64(int32(bits)))
		} else {
			values = append(values, float64(math.Float32frombits(bits)))
		}
	}
	return values
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-5*max(1, math.Abs(want)) }

// The two sequences of a fixture have 7 and 5 tokens.
func TestScoresAndEmbeddingsAreThoseOfTransformers(t *testing.T) {
	names := []string{"xlm-roberta", "bert", "llama-reward", "qwen3-classes"}
	s := siteOf(t, fixtures(t, names...), nil)
	for _, name := range names {
		var inputs [2][]int
		for i, id := range expected(t, name, "tokens") {
			inputs[i/7] = append(inputs[i/7], int(id))
		}
		outputs := expected(t, name, "outputs")
		scored := want[struct{ Data []score }](s, "/v1/score", object{"model": name, "input": inputs})
		for i, one := range scored.Data {
			width := len(outputs) / 2
			if !slices.EqualFunc(one.Scores, outputs[i*width:(i+1)*width], near) {
				t.Errorf("%s: scores %v of %v", name, one.Scores, outputs)
			}
		}
		hidden := expected(t, name, "hidden")
		columns := len(hidden) / 12
		type list struct {
			Data []struct{ Embedding []float64 }
		}
		embedded := want[list](s, "/v1/embeddings", object{"model": name, "input": inputs})
		for i, one := range embedded.Data {
			n := len(inputs[i])
			if !slices.EqualFunc(one.Embedding, mean(hidden[:n*columns], n), near) {
				t.Errorf("%s: another embedding of text %d", name, i)
			}
			hidden = hidden[n*columns:]
		}
	}
}

// mean is that of n rows.
func mean(rows []float64, n int) []float64 {
	means := make([]float64, len(rows)/n)
	for i, v := range rows {
		means[i%len(means)] += v / float64(n)
	}
	return means
}

// The answers to pairs are written by ../model/testdata/make_pairs.py.
func TestPairsAreScoredAsTransformersDoes(t *testing.T) {
	raw, err := os.ReadFile(fixtureDir + "pairs.json")
	if err != nil {
		t.Fatal(err)
	}
	var known map[string][]struct {
		Tokens  []int32
		Outputs []float64
	}
	if err := json.Unmarshal(raw, &known); err != nil {
		t.Fatal(err)
	}
	s := siteOf(t, fixtures(t, "bert", "xlm-roberta"), nil)
	for name, pairs := range known {
		long, short := pairs[0], pairs[1]
		scored := want[struct{ Data []score }](s, "/v1/score", object{
			"model": name, "text_1": []string{words(long.Tokens[:4]), words(short.Tokens[:1])},
			"text_2": []string{words(long.Tokens[4:]), words(short.Tokens[1:])},
		})
		for i, one := range scored.Data {
			if !slices.EqualFunc(one.Scores, pairs[i].Outputs, near) {
				t.Errorf("%s: scores %v, want %v", name, one.Scores, pairs[i].Outputs)
			}
		}
	}
	one := known["xlm-roberta"][1]
	type results struct{ Results []ranked }
	request := object{"model": "xlm-roberta", "query": words(one.Tokens[:1]), "top_n": 2,
		"documents": []any{words(one.Tokens[:2]), object{"text": words(one.Tokens[1:])}, "w1"}}
	best := want[results](s, "/v1/rerank", request).Results
	if len(best) != 2 || best[0].Relevance < best[1].Relevance {
		t.Fatalf("ranked %+v", best)
	}
	request["top_n"] = 3
	for _, r := range want[results](s, "/v1/rerank", request).Results {
		if r.Index == 1 && (!near(r.Relevance, sigmoid(one.Outputs[0])) || r.Document.Text != words(one.Tokens[1:])) {
			t.Errorf("the document is %+v", r)
		}
	}
}

func TestPairsThatCanNotBeScoredAreRefused(t *testing.T) {
	s := siteOf(t, append(fixtures(t, "bert", "xlm-roberta"), toys(t)...), nil)
	for _, c := range []struct {
		path, param string
		body        object
	}{
		{"score", "text_2", object{"model": "bert", "text_1": []string{"w1", "w2"}, "text_2": "w3"}},
		{"score", "text_2", object{"model": "bert", "text_1": "w1"}},
		{"score", "input", object{"model": "bert", "text_1": "w1", "text_2": "w2", "input": "w3"}},
		{"score", "text_2", object{"model": "rater", "text_1": "a", "text_2": "b"}},              // its tokenizer has no form
		{"rerank", "model", object{"model": "bert", "query": "w1", "documents": []string{"w2"}}}, // it has three outputs
		{"rerank", "model", object{"model": "toy", "query": "w1", "documents": []string{"w2"}}},
		{"rerank", "documents", object{"model": "xlm-roberta", "query": "w1"}},
		{"rerank", "documents", object{"model": "xlm-roberta", "query": "w1", "documents": []int{3}}},
		{"rerank", "query", object{"model": "xlm-roberta", "documents": []string{"w1"}}},
	} {
		status, raw := s.post("/v1/"+c.path, c.body)
		var got struct{ Error struct{ Param string } }
		if json.Unmarshal(raw, &got) != nil || status != http.StatusBadRequest || got.Error.Param != c.param {
			t.Errorf("%s %v: %d %s, want %s", c.path, c.body, status, raw, c.param)
		}
	}
}
