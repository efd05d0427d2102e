package plugin_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/author"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/sdktest"
	"github.com/carebot-llm/carebot/sdk/sdktest/example"
	"github.com/carebot-llm/carebot/sdk/sdktest/example/median"
)

// kit is the folder of the software development kits.
const kit = "../../../sdk"

// A written is a Go plugin of the conformance tests in another language.
type written struct{ language, folder, transport string }

// examples and medians are the two plugins in the languages of the other kits.
var (
	examples = []written{
		{"c", "c/conformance", plugin.TransportWasm},
		{"rust", "rust/conformance", plugin.TransportWasm},
		{"ts", "ts/conformance", plugin.TransportWasm},
		{"python", "python/conformance", plugin.TransportProcess},
	}
	medians = []written{
		{"c", "c/conformance/median", plugin.TransportWasm},
		{"rust", "rust/conformance/median", plugin.TransportWasm},
		{"ts", "ts/conformance/median", plugin.TransportWasm},
		{"python", "python/conformance/median", plugin.TransportProcess},
	}
)

// toolchains is the environment variable that turns the absence of a language's tools from a skip into a failure.
const toolchains = "CAREBOT_TOOLCHAINS"

// see opens the files that only compilers read, so that the cache of test results knows them.
func see(t testing.TB, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		_, err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// build builds a plugin's folder of the kits.
func build(t *testing.T, folder string) (use string) {
	t.Helper()
	return buildFolder(t, filepath.Join(kit, folder))
}

// buildFolder builds a plugin's folder, in a copy, with the kit of this checkout.
func buildFolder(t testing.TB, folder string) (use string) {
	t.Helper()
	sdkDir, err := filepath.Abs(kit)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(author.SDKVariable, sdkDir)
	see(t, sdkDir)
	dir := t.TempDir()
	source := filepath.Join(dir, "plugin")
	if err := os.CopyFS(source, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	use, err = author.Build(t.Context(), source, filepath.Join(dir, "plugin.wasm"))
	var missing *author.MissingTool
	if errors.As(err, &missing) && os.Getenv(toolchains) != "all" {
		t.Skipf("SKIPPED: %v (set %s=all to make this a failure)", missing, toolchains)
	}
	if err != nil {
		t.Fatal(err)
	}
	return use
}

// exampleSpec opens the example, or its like in another language, on fake models.
func exampleSpec(use string) plugin.Spec {
	return plugin.Spec{
		Name: "subject", Workers: 2,
		Plugin: recipe.Plugin{
			Use:    use,
			Models: map[string]string{"lm": "boost", "rater": "rate-model"},
			Limits: recipe.Limits{
				Memory: 128 << 20, Deadline: recipe.Duration(20 * time.Second), Batch: 7, Faults: 1000,
			},
		},
		Models: map[string]sdk.Model{"lm": &sdktest.Model{Name: "lm"}, "rater": &sdktest.Model{Name: "rater"}},
	}
}

func openExample(t *testing.T, use string, with map[string]any) *plugin.Plugin {
	t.Helper()
	spec := exampleSpec(use)
	spec.Plugin.With = with
	return open(t, spec)
}

func open(t testing.TB, spec plugin.Spec) *plugin.Plugin {
	t.Helper()
	p, err := plugin.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// exampleCases are the records, judged under two configurations and with records that the model refuses.
func exampleCases() []struct {
	name    string
	with    map[string]any
	records sdktest.Case
} {
	refused := sdktest.Records()
	refused.Documents[5].Text = sdktest.Refused
	refused.Samples[9].Response = sdktest.Refused
	return []struct {
		name    string
		with    map[string]any
		records sdktest.Case
	}{
		{"records", nil, sdktest.Records()},
		{"configured", map[string]any{"low": 0.9, "greeting": "Hello. 休"}, sdktest.Records()},
		{"refused", nil, refused},
	}
}

func TestEveryLanguageAnswersAsGoDoes(t *testing.T) {
	for _, l := range examples {
		t.Run(l.language, func(t *testing.T) {
			use := build(t, l.folder)
			for _, c := range exampleCases() {
				t.Run(c.name, func(t *testing.T) {
					want, got := openExample(t, example.Name, c.with), openExample(t, use, c.with)
					if got.Transport() != l.transport {
						t.Errorf("runs as %s", got.Transport())
					}
					sdktest.Compare(t, sdktest.Ask(t, want, want.Manifest(), c.records),
						sdktest.Ask(t, got, want.Manifest(), c.records))
				})
			}
			t.Run("manifest", func(t *testing.T) { compareManifests(t, example.Name, use) })
			t.Run("bad configuration", func(t *testing.T) { refuses(t, use) })
		})
	}
}

func TestEveryLanguagePostponesAsGoDoes(t *testing.T) {
	for _, l := range medians {
		t.Run(l.language, func(t *testing.T) {
			use := build(t, l.folder)
			want, got := openMedian(t, median.Name), openMedian(t, use)
			for range 2 { // the second time after the first has been flushed
				sdktest.Compare(t, sdktest.Ask(t, want, want.Manifest(), sdktest.Records()),
					sdktest.Ask(t, got, want.Manifest(), sdktest.Records()))
			}
			compareManifests(t, median.Name, use)
		})
	}
}

func openMedian(t *testing.T, use string) *plugin.Plugin {
	t.Helper()
	spec := exampleSpec(use)
	spec.Plugin.Models, spec.Models = nil, nil
	return open(t, spec)
}

// compareManifests fails unless the plugin says of itself what the Go plugin says.
func compareManifests(t *testing.T, name, use string) {
	t.Helper()
	want, _ := sdk.Registered(name)
	got, err := plugin.Inspect(t.Context(), recipe.Plugin{Use: use}, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Manifest, got.Manifest); diff != "" {
		t.Errorf("manifest (-Go +this language):\n%s", diff)
	}
}

// refuses fails unless the plugin itself refuses a bad value, in the words of the Go example.
func refuses(t *testing.T, use string) {
	for _, u := range []string{example.Name, use} {
		spec := exampleSpec(u)
		spec.Plugin.With = map[string]any{"low": -1}
		_, err := plugin.Open(t.Context(), spec)
		if err == nil || !strings.Contains(err.Error(), "low is -1, below 0") {
			t.Errorf("%s: error %v", u, err)
		}
	}
}
