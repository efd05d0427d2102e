package plugin_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/plugin/testdata/heuristic"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/plugins/quality-rules/reference"
	"github.com/carebot-llm/carebot/sdk"
)

// heuristicFolder is the filter that is written in every language.
const heuristicFolder = "testdata/heuristic"

// heuristicLanguages are the languages of modules, and how many times native Go's time the filter may take in them.
var heuristicLanguages = []struct {
	name string
	most float64
}{
	{"c", 2.4}, {"rust", 2.4}, {"ts", 2.4}, {"go", 14},
}

// heuristicIn builds the filter in a language and returns the module's path.
func heuristicIn(t testing.TB, language string) string {
	if language == "go" {
		return plugin.ModuleOf(t, "./"+heuristicFolder+"/go")
	}
	return buildFolder(t, filepath.Join(heuristicFolder, language))
}

func moduleSpec(use string) plugin.Spec {
	return plugin.Spec{Name: "subject", CacheDir: plugin.BuiltDir(), Workers: 1, Plugin: recipe.Plugin{Use: use}}
}

// native opens a plugin of Go without a host around it.
func native(t testing.TB, p sdk.Plugin) sdk.Scorer {
	t.Helper()
	s, err := p.New(sdk.Env{Config: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	return s.(sdk.Scorer)
}

func TestHeuristicIsTheSameInEveryLanguage(t *testing.T) {
	docs := sampleDocuments(t)
	want, err := native(t, heuristic.Plugin).Score(t.Context(), docs)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range heuristicLanguages {
		t.Run(l.name, func(t *testing.T) {
			for i, r := range rate(t, open(t, moduleSpec(heuristicIn(t, l.name))), docs...) {
				if look := float64(float32(want[i].Scores["look"])); r.Scores["look"] != look {
					t.Fatalf("%.100q: look is %v, %v in native Go", docs[i].Text, r.Scores["look"], look)
				}
			}
		})
	}
}

// sizes are those of the documents that the benchmarks use.
func sizes(b *testing.B, run func(b *testing.B, docs []sdk.Document)) {
	for _, language := range []string{"en", "zh"} {
		for _, size := range []int{1 << 10, 8 << 10} {
			b.Run(fmt.Sprintf("%s-%dKB", language, size>>10), func(b *testing.B) {
				run(b, plugin.Texts(b, language, size, 64))
			})
		}
	}
}

// scored asks for the ratings of documents.
func scored(b *testing.B, s sdk.Scorer, docs []sdk.Document) func() {
	return func() {
		if _, err := s.Score(b.Context(), docs); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHeuristic compares the filter in native Go with the same in a module: without fuel, with it, and all that
// the host does, fuel and deadline on.
func BenchmarkHeuristic(b *testing.B) {
	for _, l := range heuristicLanguages {
		b.Run(l.name, func(b *testing.B) {
			path := heuristicIn(b, l.name)
			p := open(b, moduleSpec(path))
			sizes(b, func(b *testing.B, docs []sdk.Document) {
				plain, metered := plugin.Asked(b, p, path, docs)
				best := plugin.Compare(b, len(docs), "doc",
					plugin.Contestant("native", scored(b, native(b, heuristic.Plugin), docs)),
					plugin.Contestant("plain", plain), plugin.Contestant("fuel", metered),
					plugin.Contestant("host", scored(b, p, docs)))
				b.ReportMetric(float64(best[2])/float64(best[1]), "fuel/plain")
				if r := float64(best[3]) / float64(best[0]); r > l.most {
					b.Logf("%.2f times native Go's time, more than %v", r, l.most)
				}
			})
		})
	}
}

// BenchmarkRules compares quality-rules, all that the host does, with its reference in native Go.
func BenchmarkRules(b *testing.B) {
	p := open(b, rulesSpec(rulesModule, nil))
	sizes(b, func(b *testing.B, docs []sdk.Document) {
		plugin.Compare(b, len(docs), "doc", plugin.Contestant("native", scored(b, native(b, reference.Plugin), docs)),
			plugin.Contestant("host", scored(b, p, docs)))
		u := p.Usage()
		b.ReportMetric(float64(u.Fuel)/(float64(u.Bytes)/1024), "fuel/KB")
	})
}
