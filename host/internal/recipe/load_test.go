package recipe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const wholeFile = "testdata/whole.yaml"

// mustParse parses a valid recipe.
func mustParse(t *testing.T, text string, overrides ...string) *Recipe {
	t.Helper()
	r, problems := parse("r.yaml", []byte(text), overrides)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return r
}

func mustRead(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWholeRecipeLoads(t *testing.T) {
	r, err := Load(wholeFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Datasets["rated"].Fields; !cmp.Equal(got, map[string]Fields{"text": {"0"}, "label": {"1"}}) {
		t.Errorf("fields are %v", got)
	}
	if header := r.Datasets["rated"].Header; header == nil || *header {
		t.Error("header is not false")
	}
	boost := r.Stages["boost"].Train
	want := Mix{
		Mix:      map[string]float64{"clean[rater.quality>=4]": 1, "talks": 1},
		Language: map[string]float64{"zh": 4, "en": 6},
	}
	if !cmp.Equal(boost.Data, want) || boost.Tokens != 1e6 || boost.LearningRate != 1e-4 || boost.Scheduler != "wsd" {
		t.Errorf("boost is %+v", boost)
	}
	if got := r.Stages["sft"].Train.Data.Mix; !cmp.Equal(got, map[string]float64{"dialogues": 1}) {
		t.Errorf("short mix is %v", got)
	}
	wantLimits := Limits{Memory: 64 << 20, Deadline: Duration(90e9), Fuel: 50_000_000, Batch: 32}
	if got := r.Plugins["reward"].Limits; got != wantLimits {
		t.Errorf("limits are %+v, want %+v", got, wantLimits)
	}
	if pos := r.Stages["clean"].Pos; pos != (Position{wholeFile, 43, 3}) {
		t.Errorf("clean stands at %s", pos)
	}
}

func TestDefaultsFillWhatIsAbsent(t *testing.T) {
	r, err := Load(wholeFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Plugins["rules"].Limits, (Limits{256 << 20, Duration(30e9), 50_000_000, 256, 10}); got != want {
		t.Errorf("limits are %+v, want %+v", got, want)
	}
	rate := r.Stages["rate"].Train
	if rate.Scheduler != "cosine" || rate.Epsilon != 1e-8 || !*rate.Packing || rate.SaveLimit != 2 {
		t.Errorf("defaults of a train stage are %+v", rate)
	}
	if rate.MicroBatchSize != rate.BatchSize {
		t.Errorf("the micro batch has %d records", rate.MicroBatchSize)
	}
	if a, b := r.Datasets["medical"].Source, r.Datasets["talks"].Source; a != "medical" || b != "clinic" {
		t.Errorf("sources are %s and %s", a, b)
	}
	if m := r.Models["encoder"]; m.Context != 512 || m.KVHeads != m.Heads {
		t.Errorf("defaults of a model are %+v", m)
	}
}

func TestNumbersInAllTheirForms(t *testing.T) {
	for text, want := range map[string]int{"2e6": 2e6, "2_000_000": 2e6, "2000000": 2e6, "2.0e+6": 2e6, "0x10": 16} {
		r := mustParse(t, mustRead(t, wholeFile), "stages.words.vocab="+text)
		if got := r.Stages["words"].Tokenizer.Vocab; got != want {
			t.Errorf("vocab %s is %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]float64{"1e-5": 1e-5, "1.0e-5": 1e-5, ".00001": 1e-5, "3": 3, "1E-5": 1e-5} {
		r := mustParse(t, mustRead(t, wholeFile), "stages.rate.learning_rate="+text)
		if got := r.Stages["rate"].Train.LearningRate; got != want {
			t.Errorf("learning rate %s is %v, want %v", text, got, want)
		}
	}
	if r := mustParse(t, mustRead(t, wholeFile), "seed=18446744073709551615"); r.Seed != 1<<64-1 {
		t.Errorf("largest seed is %d", r.Seed)
	}
}

func TestOverridesChangeTheirKeyOnly(t *testing.T) {
	text := mustRead(t, wholeFile)
	want := mustParse(t, text)
	boost := *want.Stages["boost"].Train
	boost.Tokens, boost.Steps = 0, 30
	boost.Data.Mix = map[string]float64{"clean[rater.quality>=4]": 3, "talks": 1}
	want.Stages["boost"].Train.Tokens = 0
	*want.Stages["boost"].Train = boost
	exam := want.Datasets["exam"]
	exam.Files = []string{"a.jsonl", "b.jsonl"}
	want.Datasets["exam"] = exam
	got := mustParse(t, text, "stages.boost.tokens=null", "stages.boost.steps=30",
		"stages.boost.data.mix.clean[rater.quality>=4]=3", "datasets.exam.files=[a.jsonl, b.jsonl]")
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestOverrideMayAddAndReplaceMappings(t *testing.T) {
	r := mustParse(t, mustRead(t, wholeFile),
		"datasets.extra={files: [x.jsonl], format: text}",
		"stages.sft.data.mix.talks=2", // in place of the short form
		"plugins.rules.with.deep.key=[1, {a: b}]")
	if r.Datasets["extra"].Pos != (Position{File: CommandLine}) {
		t.Errorf("extra is at %s", r.Datasets["extra"].Pos)
	}
	if got := r.Stages["sft"].Train.Data.Mix; !cmp.Equal(got, map[string]float64{"talks": 2}) {
		t.Errorf("mix is %v", got)
	}
	want := map[string]any{"deep": map[string]any{"key": []any{1, map[string]any{"a": "b"}}}}
	if got := r.Plugins["rules"].With; !cmp.Equal(got, want) {
		t.Errorf("with is %v, want %v", got, want)
	}
}

func TestPathsOfTheCommandLineCountFromTheWorkingDirectory(t *testing.T) {
	text := mustRead(t, wholeFile) + "data_root: data\n"
	if r := mustParse(t, text); r.DataRoot != "data" || r.Models["given"].From != "models/llama" {
		t.Errorf("paths of the file were changed: %q, %q", r.DataRoot, r.Models["given"].From)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	r := mustParse(t, text,
		"data_root=up", "models.given.from=m", "plugins.rules.use=./p.wasm", "plugins.rater.use=datarater2")
	got := []string{r.DataRoot, r.Models["given"].From, r.Plugins["rules"].Use, r.Plugins["rater"].Use}
	want := []string{filepath.Join(here, "up"), filepath.Join(here, "m"), filepath.Join(here, "p.wasm"), "datarater2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFileThatCannotBeReadIsNoProblemOfTheRecipe(t *testing.T) {
	_, err := Load("testdata/none.yaml", nil)
	var problems Problems
	if err == nil || errors.As(err, &problems) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

func TestHugeFileIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "huge.yaml")
	if err := os.WriteFile(file, []byte("name: "+strings.Repeat("x", maxFile)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file, nil); err == nil || !strings.Contains(err.Error(), "larger than 4 MiB") {
		t.Errorf("error is %.200v", err)
	}
}

func TestResolvedRecipeMeansTheSame(t *testing.T) {
	files, err := filepath.Glob("../../../recipes/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sameNumber := cmp.FilterValues(areNumbers, cmp.Comparer(func(a, b any) bool {
		return fmt.Sprint(a) == fmt.Sprint(b)
	}))
	for _, file := range append(files, wholeFile) {
		r, err := Load(file, nil)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		text := r.Resolved()
		again := mustParse(t, string(text))
		if diff := cmp.Diff(r, again, sameNumber, cmpopts.EquateEmpty(), cmpopts.IgnoreTypes(Position{}),
			cmpopts.IgnoreFields(Recipe{}, "File")); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
		if diff := cmp.Diff(string(text), string(again.Resolved())); diff != "" {
			t.Errorf("%s: resolved twice: %s", file, diff)
		}
		for name := range r.Stages {
			got, want := string(again.Declaration("stages", name)), string(r.Declaration("stages", name))
			if got != want || got == "" {
				t.Errorf("%s: stage %s is declared as\n%swant\n%s", file, name, got, want)
			}
		}
		if diff := cmp.Diff(r.Order(), again.Order()); diff != "" {
			t.Errorf("%s: order: %s", file, diff)
		}
	}
}

// areNumbers holds for the numbers of a with block, of which YAML does not say whether 1 is whole.
func areNumbers(a, b any) bool {
	_, okA := toFloat(a)
	_, okB := toFloat(b)
	return okA && okB
}

func FuzzLoadNeverPanics(f *testing.F) {
	f.Add(mustRead(f, wholeFile), "stages.boost.steps=30")
	f.Add("a: &a [*a]\n<<: *a\n", "a=[")
	f.Add("stages: {a: {kind: train, init: a, data: {mix: {\"[\": 1}}}}", "stages.a.data.mix.b[=]=1")
	f.Add("? [x]\n: !!set {a}\n--- \n...", "..=")
	f.Fuzz(func(t *testing.T, text, override string) {
		r, problems := parse("r.yaml", []byte(text), []string{override})
		if len(problems) > 0 {
			return
		}
		if again, problems := parse("r.yaml", r.Resolved(), nil); len(problems) > 0 {
			t.Fatalf("resolved recipe is not valid: %v\n%s", problems, r.Resolved())
		} else if len(again.Order()) != len(r.Stages) {
			t.Fatal("the order leaves stages out")
		}
	})
}
