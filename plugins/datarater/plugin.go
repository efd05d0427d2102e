// Package datarater rates documents with a rater model of the host: an encoder with one output that has learned ratings
// from 0 to 5, as CareBot's DataRater (arXiv 2412.15236). Long documents are rated in chunks.
package datarater

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/sdk"
)

func init() {
	sdk.Register(sdk.Plugin{Manifest: manifest, New: open})
}

var (
	lowest, highest = 0.0, 5.0

	manifest = sdk.Manifest{
		ABI:     sdk.ABI,
		Name:    "datarater",
		Version: "1.0.0",
		Summary: "Quality from 0 to 5 as a rater model of the host sees it",
		Kinds:   []sdk.Kind{sdk.KindScorer},
		Columns: []string{"text"},
		Scores: []sdk.ScoreInfo{{
			Name: "quality", Summary: "rating of the document", Min: &lowest, Max: &highest, HigherIsBetter: true,
		}},
		Purity:       sdk.Pure,
		Capabilities: []string{"model:quality"},
		Config: &sdk.ConfigSchema{Properties: map[string]sdk.ConfigKey{
			"chunk": {Type: []string{"integer"}, Default: 0,
				Summary: "estimated tokens of a chunk; 0 is the model's longest input"},
			"aggregate": {Type: []string{"string"}, Default: "mean",
				Summary: "rating of a document from its chunks': mean (weighted by length), min or max"},
			"min": {Type: []string{"number"}, Default: 0, Summary: "lowest rating; the model's are clipped"},
			"max": {Type: []string{"number"}, Default: 5, Summary: "highest rating"},
		}},
	}
)

type config struct {
	Chunk     int     `json:"chunk"`
	Aggregate string  `json:"aggregate"`
	Min       float64 `json:"min"`
	Max       float64 `json:"max"`
}

// A rater asks the model about documents.
type rater struct {
	config
	model sdk.Model
}

func open(env sdk.Env) (any, error) {
	r := &rater{config: config{Aggregate: "mean", Min: lowest, Max: highest}}
	if err := json.Unmarshal(env.Config, &r.config); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	model, err := env.Host.Model("quality")
	if err != nil {
		return nil, err
	}
	info := model.Info()
	if info.Outputs != 1 {
		return nil, fmt.Errorf("model %s has %d outputs; a rater has one", info.Name, info.Outputs)
	}
	if r.model = model; r.Chunk == 0 {
		r.Chunk = info.MaxTokens - specials
	}
	if r.Chunk <= 0 {
		return nil, fmt.Errorf("model %s takes %d tokens, too few for text", info.Name, info.MaxTokens)
	}
	return r, nil
}

func (c *config) check() error {
	switch {
	case c.Chunk < 0:
		return fmt.Errorf("chunk is %d; it counts tokens", c.Chunk)
	case c.Aggregate != "mean" && c.Aggregate != "min" && c.Aggregate != "max":
		return fmt.Errorf("aggregate is %q; it is mean, min or max", c.Aggregate)
	case c.Min >= c.Max:
		return fmt.Errorf("min %v is not below max %v", c.Min, c.Max)
	}
	return nil
}

// Score implements sdk.Scorer. All chunks of all documents are one request. Blank documents are not judged.
func (r *rater) Score(ctx context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	var texts [][]sdk.Turn
	ends := make([]int, len(docs))
	for i := range docs {
		for _, c := range chunks(docs[i].Text, r.Chunk) {
			texts = append(texts, []sdk.Turn{{Role: sdk.RoleRaw, Text: c}})
		}
		ends[i] = len(texts)
	}
	outputs, err := r.ask(ctx, texts)
	if err != nil {
		return nil, err
	}
	ratings := make([]sdk.Rating, len(docs))
	from := 0
	for i, to := range ends {
		ratings[i] = r.rate(texts[from:to], outputs[from:to])
		from = to
	}
	return ratings, nil
}

func (r *rater) ask(ctx context.Context, texts [][]sdk.Turn) ([][]float64, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	outputs, err := r.model.Score(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("ask model %s: %w", r.model.Info().Name, err)
	}
	if len(outputs) != len(texts) {
		return nil, fmt.Errorf("model %s gives %d answers to %d texts", r.model.Info().Name, len(outputs), len(texts))
	}
	return outputs, nil
}

// rate makes one rating of a document's chunks.
func (r *rater) rate(texts [][]sdk.Turn, outputs [][]float64) sdk.Rating {
	if len(texts) == 0 {
		return sdk.Rating{Status: sdk.Abstain, Detail: "the document is blank"}
	}
	sum, weight, low, high := 0.0, 0.0, r.Max, r.Min
	for i, out := range outputs {
		if len(out) != 1 || math.IsNaN(out[0]) || math.IsInf(out[0], 0) {
			return sdk.Rating{Status: sdk.Fault, Detail: fmt.Sprintf("the model answers %v to chunk %d", out, i)}
		}
		v, w := min(max(out[0], r.Min), r.Max), float64(cost(texts[i][0].Text))
		sum, weight = sum+v*w, weight+w
		low, high = min(low, v), max(high, v)
	}
	v := sum / weight
	switch r.Aggregate {
	case "min":
		v = low
	case "max":
		v = high
	}
	rating := sdk.Rating{Scores: map[string]float64{"quality": v}}
	if len(texts) > 1 {
		rating.Detail = fmt.Sprintf("%d chunks from %.2f to %.2f", len(texts), low, high)
	}
	return rating
}

var _ sdk.Scorer = (*rater)(nil)
