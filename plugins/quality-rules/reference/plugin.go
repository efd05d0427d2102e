// Package reference is the plugin quality-rules in plain Go, which the tests hold the module to; it does not ship.
//
// It measures documents by the published heuristics for web text: Gopher (Rae et al. 2021, arXiv
// 2112.11446), C4 (Raffel et al. 2020, JMLR 21:140), FineWeb (Penedo et al. 2024, arXiv 2406.17557) and, for Chinese,
// FineWeb2 (Penedo et al. 2025, arXiv 2506.20920). Each rule is a named score, its measured value; the score pass is 1
// when all thresholds hold.
//
// A word is one Chinese character, or a run of anything else between spaces and Chinese characters that has a letter or
// a digit. Its characters are its letters, marks and digits, without regard to ASCII case.
package reference

import (
	"context"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
)

// Plugin is quality-rules.
var Plugin = sdk.Plugin{Manifest: manifest, New: open}

var manifest = sdk.Manifest{
	ABI:     sdk.ABI,
	Name:    "quality-rules",
	Version: "1.0.0",
	Summary: "Heuristics of Gopher, C4 and FineWeb for English and Chinese text",
	Kinds:   []sdk.Kind{sdk.KindScorer},
	Columns: []string{"text", "language"},
	Scores:  scores(),
	Purity:  sdk.Pure,
	Config: &sdk.ConfigSchema{Properties: map[string]sdk.ConfigKey{
		"english": {Type: []string{"object"}, Summary: "thresholds of other text, as rule: {min: ..., max: ...}"},
		"chinese": {Type: []string{"object"}, Summary: "thresholds of Chinese text"},
	}},
}

func scores() []sdk.ScoreInfo {
	var all []sdk.ScoreInfo
	for _, r := range rules {
		all = append(all, sdk.ScoreInfo{Name: r.name, Summary: r.summary})
	}
	return append(all, sdk.ScoreInfo{Name: "pass", Summary: "1 when all thresholds hold, else 0", HigherIsBetter: true})
}

// A scorer measures documents. Its scanner keeps memory from document to document, so a scorer is used by one call at a
// time.
type scorer struct {
	scan   scanner
	bounds [2][]bound // by language, then rule
}

func open(env sdk.Env) (any, error) {
	bounds, err := configured(env.Config)
	if err != nil {
		return nil, err
	}
	return &scorer{bounds: bounds}, nil
}

// Score implements sdk.Scorer. The detail of a document that does not pass names the thresholds that it missed.
func (s *scorer) Score(ctx context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	ratings := make([]sdk.Rating, len(docs))
	for i := range docs {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		ratings[i] = s.rate(&docs[i])
	}
	return ratings, nil
}

func (s *scorer) rate(d *sdk.Document) sdk.Rating {
	m := s.scan.measure(d.Text, d.Language)
	values := make(map[string]float64, len(rules)+1)
	var missed []string
	for i := range rules {
		v := rules[i].value(m)
		values[rules[i].name] = v
		if why := s.bounds[m.lang][i].misses(v); why != "" {
			missed = append(missed, rules[i].name+" "+why)
		}
	}
	values["pass"] = 0
	if len(missed) == 0 {
		values["pass"] = 1
	}
	return sdk.Rating{Scores: values, Detail: strings.Join(missed, "; ")}
}

var _ sdk.Scorer = (*scorer)(nil)
