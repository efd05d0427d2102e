package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

// ranked is a recipe that makes pairs of 24 prompts, in six batches, and learns from them.
const ranked = `name: ranked
seed: 3
device: cpu
datasets:
  texts: {files: [texts.jsonl], format: text, language: en}
  asked: {files: [asked.jsonl], format: messages, language: en}
  pairs: {files: [pairs.jsonl], format: preference, language: en}
models:
  base: {arch: llama, layers: 1, hidden: 16, heads: 2, context: 64, initializer_range: 0.3}
plugins:
  reward: {use: test-reward, limits: {batch: 1, faults: 1000}}
stages:
  words: {kind: tokenizer, from: [texts], vocab: 300, model: unigram}
  answered: {kind: pairs, model: base, from: asked, reward: reward, n: 3, tokens: 6, batch_size: 4}
  chosen: {kind: curate, from: pairs, steps: [dedup: {}, reward: reward, keep: reward.margin > -100]}
  dpo:
    kind: train
    init: base
    objective: dpo
    data: {mix: {answered: 3, chosen: 1}}
    over_length: cut
    epochs: 1
    batch_size: 4
    learning_rate: 1e-3
`

func rankedProject(t *testing.T) *project {
	t.Helper()
	var asked, pairs strings.Builder
	for i := range 24 {
		fmt.Fprintf(&asked, `{"messages": [{"role": "user", "content": "Question %d?"},`, i)
		fmt.Fprintf(&asked, `{"role": "assistant", "content": "Answer %d."}]}`+"\n", i)
		fmt.Fprintf(&pairs, `{"prompt": "Question %d?", "chosen": "It is %d.", "rejected": "No, %d."}`+"\n", i, i, i+1)
	}
	return newProject(t, map[string]string{
		"ranked.yaml": ranked, "asked.jsonl": asked.String(), "pairs.jsonl": pairs.String(),
	})
}

func (p *project) path(parts ...string) string {
	return filepath.Join(append([]string{p.dir, "runs"}, parts...)...)
}

// contents are the files of a stage's directory, without times.
func (p *project) contents(t *testing.T, name, stage string) map[string]string {
	t.Helper()
	all := map[string]string{}
	root := p.path(name, stage)
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == summaryFile {
			return err
		}
		text, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, root)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s := p.summary(t, name, stage)
	s.Seconds = 0
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	all[summaryFile] = string(text)
	return all
}

func TestTheBestAndTheWorstAnswerBecomeAPair(t *testing.T) {
	p := rankedProject(t)
	p.run(t, "ranked.yaml", "stages.answered.margin=1")
	prompts := jsonLines[judgedPrompt](t, p.path("ranked", "answered", samplesFile))
	records, err := data.OpenDataset(p.path("ranked", "answered", "dataset"))
	if err != nil {
		t.Fatal(err)
	}
	dropped := jsonLines[drop](t, p.path("ranked", "answered", "dropped.jsonl"))
	if len(prompts) != 24 || len(records)+len(dropped) != 24 || len(records) == 0 {
		t.Fatalf("of 24 prompts %d are recorded, %d became pairs, %d were dropped", len(prompts), len(records),
			len(dropped))
	}
	for _, r := range records {
		i := r.Line - 1
		best, worst := extremes(prompts[i])
		if r.Chosen != best.Text || r.Rejected != worst.Text ||
			float64(r.Scores["reward.margin"]) != *best.Reward-*worst.Reward {
			t.Errorf("prompt %d: the pair is %q and %q with %v, of %+v", i, r.Chosen, r.Rejected, r.Scores,
				prompts[i].Answers)
		}
		want := []sdk.Turn{{Role: sdk.RoleUser, Text: fmt.Sprintf("Question %d?", i)}}
		if diff := cmp.Diff(want, r.Prompt); diff != "" || *best.Reward-*worst.Reward < 1 {
			t.Errorf("prompt %d, margin %g (-want +got):\n%s", i, *best.Reward-*worst.Reward, diff)
		}
	}
	for i, j := range prompts {
		if want := fmt.Sprintf("Answer %d.", i); j.Reference != want || len(j.Answers) != 3 || len(j.By) != 16 {
			t.Errorf("prompt %d: %+v", i, j)
		}
	}
	f := p.summary(t, "ranked", "answered").Pairs
	if f.Prompts != 24 || f.Pairs != len(records) || *f.Best-*f.Worst != *f.Margin ||
		!(*f.Worst < *f.All && *f.All < *f.Best) {
		t.Errorf("figures %+v", f)
	}
}

// extremes are the answers of the highest and of the lowest reward.
func extremes(j judgedPrompt) (best, worst judgedAnswer) {
	judged := slices.DeleteFunc(slices.Clone(j.Answers), func(a judgedAnswer) bool { return a.Reward == nil })
	order := func(a, b judgedAnswer) int { return int(8**a.Reward - 8**b.Reward) }
	return slices.MaxFunc(judged, order), slices.MinFunc(judged, order)
}

func TestAnswersDoNotDependOnTheBatch(t *testing.T) {
	p := rankedProject(t)
	p.run(t, "ranked.yaml", "stages.answered.batch_size=1")
	want := p.contents(t, "ranked", "answered")
	if err := os.RemoveAll(p.path("ranked")); err != nil {
		t.Fatal(err)
	}
	p.run(t, "ranked.yaml", "stages.answered.batch_size=7")
	if diff := cmp.Diff(want, p.contents(t, "ranked", "answered")); diff != "" {
		t.Errorf("(-batches of 1 +batches of 7):\n%s", diff)
	}
	if begun := p.run(t, "ranked.yaml"); begun != nil {
		t.Errorf("with batches of 4 these stages ran again: %v", begun)
	}
}

// stopAfter runs a recipe until so many prompts of the pairs stage are judged.
func (p *project) stopAfter(t *testing.T, prompts int, overrides ...string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	at := fmt.Sprintf("%d/24", prompts)
	p.on = func(message map[string]any) {
		if message["msg"] == "judged" && message["step"] == at {
			cancel(stop)
		}
	}
	if err := p.process(t, "ranked.yaml", overrides...).Run(ctx); !errors.Is(err, stop) {
		t.Fatalf("the run ended with %v", err)
	}
	p.on = nil
}

func TestAPairsStageGoesOnWhereItWasStopped(t *testing.T) {
	whole, p := rankedProject(t), rankedProject(t)
	whole.run(t, "ranked.yaml")
	p.stopAfter(t, 8)
	p.plan(t, "ranked.yaml")
	if got := p.column(t, "state")["answered"]; got != "goes on from prompt 8" {
		t.Errorf("the plan says %q", got)
	}
	file := p.path("ranked", "answered", samplesFile)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// A process was killed while it wrote: the second batch is there in part, its last line too.
	if err := os.WriteFile(file, text[:len(text)*3/5], 0o644); err != nil {
		t.Fatal(err)
	}
	p.run(t, "ranked.yaml")
	if diff := cmp.Diff(whole.contents(t, "ranked", "answered"), p.contents(t, "ranked", "answered")); diff != "" {
		t.Errorf("(-whole +stopped):\n%s", diff)
	}
}

func TestADamagedFileOfSamplesIsAnError(t *testing.T) {
	p := rankedProject(t)
	p.stopAfter(t, 8)
	file := p.path("ranked", "answered", samplesFile)
	for _, damage := range []struct{ what, text, want string }{
		{"a line that is none", "{\"id\": \"x\"}\nnothing\n", "samples.jsonl: line 2: "},
		{"another prompt", strings.Repeat("{\"id\": \"x\"}\n", 24), "samples.jsonl: line 1 is not that of prompt 0"},
		{"a prompt too many", strings.Repeat("{\"id\": \"x\"}\n", 25), "samples.jsonl: line 1 is not that of prompt 0"},
	} {
		if err := os.WriteFile(file, []byte(damage.text), 0o644); err != nil {
			t.Fatal(err)
		}
		err := p.process(t, "ranked.yaml").Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), damage.want) {
			t.Errorf("%s: error %v, want %q", damage.what, err, damage.want)
		}
	}
}

// chooses makes pairs of prompts with these answers.
func chooses(t *testing.T, margin float64, prompts ...[]judgedAnswer) *choosing {
	t.Helper()
	w := &pairing{spec: &recipe.Pairs{Reward: "reward", Margin: margin}}
	c := &choosing{pairing: w, figure: PairsFigure{Answers: map[string]int{}}}
	for i, answers := range prompts {
		r := &data.Record{ID: fmt.Sprint(i), Line: i + 1}
		c.prompt(r, &judgedPrompt{ID: r.ID, Prompt: []promptTurn{{"user", "?"}}, Answers: answers})
	}
	return c
}

func answer(text string, reward float64) judgedAnswer {
	return judgedAnswer{Text: text, Status: statusOK, Reward: &reward}
}

func unjudged(status, detail string) judgedAnswer {
	return judgedAnswer{Status: status, Detail: detail}
}

func TestEveryPromptHasAPairOrAReason(t *testing.T) {
	c := chooses(t, 0.5,
		[]judgedAnswer{answer("a", 1), answer("b", 3), answer("c", 3), answer("d", 1)},
		[]judgedAnswer{answer("a", 2), answer("b", 2)},
		[]judgedAnswer{answer("a", 2), answer("b", 2.25)},
		[]judgedAnswer{answer("a", 2), unjudged(statusDuplicate, ""), unjudged(statusEmpty, ""),
			unjudged(statusAbstain, "")},
		[]judgedAnswer{answer("a", 2), unjudged(statusFault, "broken"), unjudged(statusFault, "again")},
		[]judgedAnswer{unjudged(statusFault, "broken"), answer("a", 0), answer("b", 1)},
		[]judgedAnswer{unjudged(statusEmpty, "")},
	)
	var pairs []string
	for _, r := range c.kept {
		pairs = append(pairs, fmt.Sprintf("%d: %s over %s", r.Line, r.Chosen, r.Rejected))
	}
	wantLines(t, "pairs", pairs, "1: b over a", "6: b over a")
	wantLines(t, "dropped", reasons(c.dropped),
		"2: pairs: tie: all 2 are 2",
		"3: pairs: margin below 0.5: 2.25 and 2",
		"4: pairs: fewer than two judged answers: 1 abstain, 1 duplicate, 1 empty, 1 ok",
		"7: pairs: fewer than two judged answers: 1 empty")
	wantLines(t, "quarantined", reasons(c.quarantined), "5: pairs: fault: broken")
	want := map[string]int{statusOK: 12, statusDuplicate: 1, statusEmpty: 2, statusAbstain: 1, statusFault: 3}
	if diff := cmp.Diff(want, c.figure.Answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestRecordsThatCannotBeAskedAreDropped(t *testing.T) {
	p := rankedProject(t)
	p.put(t, "asked.jsonl", talk("yes")+"\n"+strings.Replace(talk("yes"), "How?", strings.Repeat("How? ", 50), 1)+"\n")
	p.run(t, "ranked.yaml", "stages.dpo=null")
	dropped := jsonLines[drop](t, p.path("ranked", "answered", "dropped.jsonl"))
	if len(dropped) == 0 || dropped[0].Line != 2 || dropped[0].Reason != "too long" ||
		!strings.HasSuffix(dropped[0].Detail, " tokens, and 6 for an answer") {
		t.Errorf("dropped: %+v", dropped)
	}
	if s := p.summary(t, "ranked", "answered"); s.In != 2 || s.Pairs.Prompts != 1 || s.Reasons["pairs: too long"] != 1 {
		t.Errorf("summary %+v", s)
	}
}

func TestFaultsAreNoRewards(t *testing.T) {
	p := rankedProject(t)
	p.run(t, "ranked.yaml", "plugins.reward.with.fail=true", "stages.dpo=null")
	s := p.summary(t, "ranked", "answered")
	if s.Pairs.Answers[statusFault] == 0 || s.Quarantined == 0 || s.Out == 0 {
		t.Fatalf("faults, quarantined prompts and pairs are wanted: %+v, %+v", s, s.Pairs)
	}
	for _, j := range jsonLines[judgedPrompt](t, p.path("ranked", "answered", samplesFile)) {
		for _, a := range j.Answers {
			if a.Status == statusFault && (a.Reward != nil || a.Detail != "told to fail") {
				t.Errorf("answer %+v", a)
			}
		}
	}
	err := p.process(t, "ranked.yaml", "plugins.reward.with.fail=true",
		"plugins.reward.limits.faults=2").Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "stage answered: plugin reward: too many faulty records") {
		t.Errorf("with more faults than the limit: %v", err)
	}
}

func TestAPluginThatCannotJudgeInBatchesIsRefused(t *testing.T) {
	p := rankedProject(t)
	want := "stage answered: reward reward: test-judge is stateful: its judgements depend on what it saw"
	overrides := []string{"plugins.reward.use=test-judge", "stages.chosen=null", "stages.dpo=null"}
	for what, err := range map[string]error{
		"check": p.process(t, "ranked.yaml", overrides...).Check(t.Context()),
		"run":   p.process(t, "ranked.yaml", overrides...).Run(t.Context()),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", what, err, want)
		}
	}
}

func TestPairsOfStagesAreDoneAgainForOtherInputsOnly(t *testing.T) {
	p := rankedProject(t)
	p.run(t, "ranked.yaml")
	for _, c := range []struct {
		override string
		again    []string
	}{
		{"stages.answered.batch_size=3", nil},
		{"stages.answered.temperature=0.9", []string{"answered", "dpo"}},
		{"plugins.reward.with.salt=x", []string{"answered", "chosen", "dpo"}},
		{"models.base.initializer_range=0.2", []string{"answered", "dpo"}},
	} {
		begun := p.run(t, "ranked.yaml", c.override)
		slices.Sort(begun)
		if !slices.Equal(begun, c.again) {
			t.Errorf("with %s these stages ran: %v, want %v", c.override, begun, c.again)
		}
		p.run(t, "ranked.yaml")
	}
}
