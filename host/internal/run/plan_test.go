package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// column reads a column of the stage table that Plan prints, by stage.
func (p *project) column(t *testing.T, header string) map[string]string {
	t.Helper()
	found := map[string]string{}
	at := -1
	for line := range strings.Lines(p.out.String()) {
		cells := strings.Split(strings.Trim(line, "│\n"), "│")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
			if cells[i] == header {
				at = i
			}
		}
		switch {
		case strings.HasPrefix(line, "Plugins"):
			return found
		case at >= 0 && len(cells) > at && cells[at] != header:
			found[cells[0]] = cells[at]
		}
	}
	return found
}

func (p *project) plan(t *testing.T, file string, overrides ...string) {
	t.Helper()
	if err := p.process(t, file, overrides...).Plan(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (p *project) wantColumn(t *testing.T, what, header string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, p.column(t, header)); diff != "" {
		t.Errorf("%s, column %s (-want +got):\n%s\n%s", what, header, diff, p.out.String())
	}
}

func states(state string, others ...string) map[string]string {
	all := map[string]string{}
	for _, name := range []string{"words", "clean", "stable", "chosen", "dpo", "exam-before", "release"} {
		all[name] = state
	}
	for i := 0; i < len(others); i += 2 {
		all[others[i]] = others[i+1]
	}
	return all
}

func TestAPlanSaysWhatWouldRunAndTouchesNothing(t *testing.T) {
	p := newProject(t, nil)
	planned := func(what string, want map[string]string, overrides ...string) {
		t.Helper()
		before := p.listing(t)
		p.plan(t, "mini.yaml", overrides...)
		p.wantColumn(t, what, "state", want)
		if diff := cmp.Diff(before, p.listing(t)); diff != "" {
			t.Errorf("%s: a plan changed files (-before +after):\n%s", what, diff)
		}
		if strings.Contains(p.out.String(), "warning") {
			t.Errorf("%s: there are warnings:\n%s", what, p.out.String())
		}
	}
	planned("before the first run", states("runs"))
	p.interrupt(t)
	planned("after an interrupted run", states("runs", "words", "done", "clean", "done", "stable", "goes on from step 1"))
	planned("with another rate", states("runs", "words", "done", "clean", "done"), "stages.stable.learning_rate=1e-3")
	p.run(t, "mini.yaml")
	planned("after a whole run", states("done"))
	planned("with another reward", states("done", "chosen", "runs", "dpo", "runs", "release", "runs"),
		"plugins.reward.with.weight=3")
}

func TestAPlanCountsTokensStepsAndParameters(t *testing.T) {
	p := newProject(t, nil)
	p.plan(t, "mini.yaml", "stages.stable.tokens=10000", "stages.stable.steps=null")
	none := states("")
	delete(none, "stable")
	delete(none, "dpo")
	for header, want := range map[string][2]string{
		"tokens": {"10,000", "~32"}, // a third of the bytes of the four pairs
		"steps":  {"79", "~2"},      // 2 sequences of 64 tokens each; 2 pairs each
		// 300 tokens of 16, four matrices of attention, three of 16 by 64, three norms
		"parameters": {"8,944", "8,944"},
	} {
		all := map[string]string{"stable": want[0], "dpo": want[1]}
		for name := range none {
			all[name] = ""
		}
		p.wantColumn(t, "tokens, steps and parameters", header, all)
	}
}

func TestAPlanShowsHowAStageComputes(t *testing.T) {
	p := newProject(t, nil)
	p.plan(t, "mini.yaml", "stages.stable.gradient_checkpointing=true", "stages.dpo.bf16=true")
	want := states("")
	want["stable"], want["dpo"] = "f32, checkpointed", "bf16"
	p.wantColumn(t, "with keys set", "products", want)
}

// The device says what it has; 16,384 wide and 500 layers deep is more.
func TestAPlanWarnsOfAStageThatDoesNotFit(t *testing.T) {
	p := newProject(t, nil)
	p.plan(t, "mini.yaml")
	if strings.Contains(p.out.String(), "warning") {
		t.Errorf("a small model does not fit:\n%s", p.out.String())
	}
	p.plan(t, "mini.yaml", "models.base.hidden=16384", "models.base.layers=500")
	memory := p.column(t, "memory")
	for _, stage := range []string{"stable", "dpo"} {
		want := "warning: stage " + stage + " needs " + memory[stage] + ": cpu: allocate "
		if strings.Count(p.out.String(), want) != 1 {
			t.Errorf("the plan does not say %q once:\n%s", want, p.out.String())
		}
	}
}

const missingRecipe = `name: missing
datasets:
  texts: {files: [texts.jsonl, none.jsonl, "more/*.jsonl"], format: text}
  there: {files: [texts.jsonl], format: text}
models:
  new: {arch: llama, layers: 1, hidden: 16, heads: 2}
  given: {from: none}
plugins:
  unknown: {use: none}
  module: {use: ./none.wasm}
stages:
  first: {kind: curate, from: texts, steps: [dedup: {}]}
  second: {kind: curate, from: first, steps: [dedup: {}]}
  third: {kind: curate, from: second, steps: [dedup: {}]}
  fourth: {kind: curate, from: there, steps: [dedup: {}]}
  rated: {kind: curate, from: there, steps: [score: unknown]}
  tuned:
    {kind: train, init: given, objective: next_token, data: third, over_length: cut, epochs: 1,
     batch_size: 8, learning_rate: 1e-3}
  fresh:
    {kind: train, init: new, tokenizer: ./words, objective: next_token, data: there, over_length: cut, tokens: 1e6,
     batch_size: 8, learning_rate: 1e-3}
  release: {kind: export, model: tuned}
`

func TestAPlanWarnsOfAllThatIsMissing(t *testing.T) {
	p := newProject(t, map[string]string{"missing.yaml": missingRecipe})
	before := p.listing(t)
	p.plan(t, "missing.yaml")
	if diff := cmp.Diff(before, p.listing(t)); diff != "" {
		t.Errorf("a plan changed files (-before +after):\n%s", diff)
	}
	missing := map[string]string{"fourth": "runs"}
	for _, name := range []string{"first", "second", "third", "rated", "tuned", "fresh", "release"} {
		missing[name] = "inputs missing"
	}
	p.wantColumn(t, "with files missing", "state", missing)
	for _, want := range []string{
		"warning: dataset texts: find files none.jsonl: ", "warning: dataset texts: find files more/*.jsonl: ",
		"warning: model given: ", "warning: plugin unknown: ", "warning: plugin module: ", "warning: tokenizer of stage fresh: ",
	} {
		if strings.Count(p.out.String(), want) != 1 {
			t.Errorf("the plan does not say %q once:\n%s", want, p.out.String())
		}
	}
	if n := strings.Count(p.out.String(), "warning: "); n != 6 {
		t.Errorf("%d warnings, want 6", n)
	}
}

func TestACheckReportsAllProblems(t *testing.T) {
	p := newProject(t, map[string]string{
		"bad.jsonl": `{"text": "fine"}` + "\n{\n" + `{"txt": 1}`,
		"bad.yaml": `name: bad
datasets:
  missing: {files: [none.jsonl], format: text}
  malformed: {files: [bad.jsonl], format: text}
  texts: {files: [texts.jsonl], format: text}
models:
  given: {from: none}
plugins:
  unknown: {use: none}
  reward: {use: test-judge, with: {wieght: 2, weight: heavy}}
stages:
  clean: {kind: curate, from: texts, steps: [score: unknown, keep: "length >"]}
  chosen: {kind: curate, from: texts, steps: [keep: "(length > 1"]}
  tuned:
    {kind: train, init: given, objective: next_token, data: {mix: {"texts[length>]": 1}}, over_length: cut, epochs: 1,
     batch_size: 8, learning_rate: 1e-3}
  release: {kind: export, model: tuned}
`})
	err := p.process(t, "bad.yaml").Check(t.Context())
	if err == nil {
		t.Fatal("no problem was found")
	}
	for _, want := range []string{
		"dataset missing: find files none.jsonl: ", "dataset malformed: bad.jsonl:2: ",
		"dataset malformed: bad.jsonl:3: ", "model given: ",
		`plugin unknown: "none" is no built-in plugin`, "plugin reward: with.weight: must be number", "; with.wieght: unknown key",
		"bad.yaml:12:62: stages.clean: keep: ", "bad.yaml:13:47: stages.chosen: keep: ", "stages.tuned: data: ", "stage tuned: ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the problems do not tell of %q:\n%v", want, err)
		}
	}
	if _, err := os.Stat(filepath.Join(p.dir, "runs")); err == nil {
		t.Error("a check left a run directory")
	}
}

func TestACheckRendersTheFirstRecords(t *testing.T) {
	p := newProject(t, nil)
	p.run(t, "mini.yaml")
	p.put(t, "tuned.yaml", `name: tuned
datasets:
  talks: {files: [talks.jsonl], format: messages}
  pairs: {files: [pairs.jsonl], format: preference}
models:
  given: {from: runs/mini/release/model}
stages:
  sft:
    {kind: train, init: given, objective: next_token, learn: assistant, data: talks, over_length: cut, epochs: 1,
     batch_size: 8, learning_rate: 1e-3}
  dpo:
    {kind: train, init: sft, objective: dpo, data: pairs, over_length: cut, epochs: 1, batch_size: 8, learning_rate: 1e-3}
`)
	p.put(t, "talks.jsonl", talk("fine"))
	if err := p.process(t, "tuned.yaml").Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(p.out.String(), "tuned.yaml: 2 datasets, 1 models, 0 plugins, 2 stages, no problem found\n") {
		t.Errorf("the check says %q", p.out.String())
	}
	p.put(t, "runs/mini/release/model/chat_template.jinja", "{{ messages }}")
	err := p.process(t, "tuned.yaml").Check(t.Context())
	for _, want := range []string{"stage sft: talks.jsonl:1: ", "stage dpo: pairs.jsonl:1: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with a template that cannot be rendered: %v, want %q", err, want)
		}
	}
}
