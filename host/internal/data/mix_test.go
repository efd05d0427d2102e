package data

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"pgregory.net/rapid"
)

// corpus makes n texts of a language, of lengths around size.
func corpus(name, language string, n, size int) []*Record {
	var all []*Record
	for i := range n {
		all = append(all, textRecord1(fmt.Sprint(name, i, strings.Repeat("x", size/2+i*37%size)), language))
	}
	return all
}

func TestMixHoldsBothMarginals(t *testing.T) {
	medical := append(corpus("m", "zh", 40, 30), corpus("n", "en", 200, 40)...)
	general := append(corpus("g", "zh", 30, 20), corpus("h", "en", 30, 20)...)
	o := options(func(s *recipe.Train) {
		s.Epochs, s.Tokens, s.BatchSize = 0, 60_000, 8
		s.Data.Mix = map[string]float64{"medical": 19, "general": 1}
		s.Data.Language = map[string]float64{"zh": 1, "en": 9}
	})
	p := mustPlan(t, map[string][]*Record{"medical": medical, "general": general}, o)
	r := p.Report()
	for _, shares := range [][]ShareReport{r.Sources, r.Languages} {
		for _, s := range shares {
			if math.Abs(s.Asked-s.Achieved) > 0.005 {
				t.Errorf("%s: asked %g, achieved %g", s.Name, s.Asked, s.Achieved)
			}
		}
	}
	if r.Sources[1].Asked != 0.95 || r.Languages[1].Asked != 0.1 || r.Seen < 60_000 || r.Seen > 60_200 {
		t.Errorf("report %+v", r)
	}
	total := 0.0
	for _, c := range r.Cells {
		total += c.Asked
	}
	if math.Abs(total-1) > 1e-6 {
		t.Errorf("the cells' shares add up to %g", total)
	}
	// The mix holds in every part of the stage, not only over the whole.
	zh, all := 0, 0
	for step := range p.Steps() / 4 {
		for _, number := range p.Batch(step).Sequences {
			n := int(p.sequences[number].length)
			if record, _ := p.Origin(int(number)); record.Language == "zh" {
				zh += n
			}
			all += n
		}
	}
	if share := float64(zh) / float64(all); math.Abs(share-0.1) > 0.01 {
		t.Errorf("the first quarter is %g zh", share)
	}
}

func TestSharesThatCannotBeHadAreErrors(t *testing.T) {
	sources := map[string][]*Record{
		"rated": append(corpus("m", "zh", 40, 30), corpus("n", "en", 40, 30)...), "talks": corpus("t", "zh", 40, 30),
	}
	with := func(languages map[string]float64) PlanOptions {
		return options(func(s *recipe.Train) {
			s.Data = recipe.Mix{Mix: map[string]float64{"rated": 1, "talks": 1}, Language: languages}
		})
	}
	_, err := NewPlan(t.Context(), sources, byteTokenizer{}, with(map[string]float64{"zh": 4, "en": 6}))
	wantError(t, err, "cannot be had together", "50.0 %")
	_, err = NewPlan(t.Context(), sources, byteTokenizer{}, with(map[string]float64{"zh": 4, "fr": 6}))
	wantError(t, err, "no source has tokens to train in language fr")
	mustPlan(t, sources, with(map[string]float64{"zh": 3, "en": 1}))
}

func TestMixAchievesItsShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sources := map[string][]*Record{}
		mix := recipe.Mix{Mix: map[string]float64{}}
		for i := range rapid.IntRange(1, 4).Draw(t, "sources") {
			name := fmt.Sprint("s", i)
			size := rapid.IntRange(4, 40).Draw(t, "size")
			sources[name] = append(corpus(name, "zh", rapid.IntRange(1, 20).Draw(t, "zh"), size),
				corpus(name, "en", rapid.IntRange(1, 20).Draw(t, "en"), size)...)
			mix.Mix[name] = float64(rapid.IntRange(1, 20).Draw(t, "share"))
		}
		if rapid.Bool().Draw(t, "by language") {
			mix.Language = map[string]float64{"zh": float64(rapid.IntRange(1, 9).Draw(t, "zh share")), "en": 5}
		}
		const tokens, longest = 20_000, 64
		o := options(func(s *recipe.Train) { s.Epochs, s.Tokens, s.Data = 0, tokens, mix })
		p, err := NewPlan(t.Context(), sources, byteTokenizer{}, o)
		if err != nil {
			t.Fatal(err)
		}
		// A cell lags or leads by less than one record for each cell.
		bound := float64(2*len(sources)*longest) / tokens
		for _, s := range append(p.Report().Sources, p.Report().Languages...) {
			if math.Abs(s.Asked-s.Achieved) > bound {
				t.Fatalf("%s: asked %g, achieved %g", s.Name, s.Asked, s.Achieved)
			}
		}
	})
}

func TestStageLengths(t *testing.T) {
	sources := map[string][]*Record{"a": corpus("a", "en", 30, 20), "b": corpus("b", "en", 10, 20)}
	two := map[string]float64{"a": 1, "b": 1}
	steps := mustPlan(t, sources, options(func(s *recipe.Train) { s.Epochs, s.Steps, s.Data.Mix = 0, 25, two }))
	if steps.Steps() != 25 || steps.Report().Rows != 50 {
		t.Errorf("%d steps, %d rows", steps.Steps(), steps.Report().Rows)
	}
	half := mustPlan(t, sources, options(func(s *recipe.Train) { s.Epochs = 0.5 }))
	if r := half.Report(); math.Abs(r.Cells[0].Passes-0.5) > 0.05 {
		t.Errorf("half an epoch is %g passes", r.Cells[0].Passes)
	}
	both := mustPlan(t, sources, options(func(s *recipe.Train) { s.Epochs, s.Data.Mix = 2, two }))
	if r := both.Report(); r.Seen < 2*(r.Trained+r.Masked-r.first) || r.Cells[1].Passes < 2*r.Cells[0].Passes {
		t.Errorf("two epochs of a mix: %+v", r)
	}
}

func TestPackingFillsRows(t *testing.T) {
	var records []*Record
	for i := range 2000 {
		records = append(records, textRecord1(strings.Repeat("x", 1+i*37%60), "en"))
	}
	if fill := mustPlan(t, map[string][]*Record{"a": records}, options(nil)).Report().Fill; fill < 0.95 {
		t.Errorf("rows are %g full", fill)
	}
}

func TestPlanIsTheSameForAnyNumberOfThreads(t *testing.T) {
	sources := map[string][]*Record{"a": corpus("a", "en", 200, 20), "b": corpus("b", "zh", 200, 20)}
	o := options(func(s *recipe.Train) { s.Data.Mix = map[string]float64{"a": 3, "b": 1} })
	digests := map[string]bool{}
	for range 5 {
		digests[mustPlan(t, sources, o).Digest()] = true
	}
	if len(digests) != 1 {
		t.Errorf("%d digests", len(digests))
	}
}
