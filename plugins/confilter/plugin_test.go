package confilter

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/carebot-llm/carebot/sdk"
)

// fake is a model whose tokens are words. A word that occurs in the context costs half a nat, another one two.
type fake struct {
	requests [][]sdk.LogLikRequest
	failed   error
	logProb  func(context []sdk.Turn, continuation string) float64
}

func (f *fake) Info() sdk.ModelInfo { return sdk.ModelInfo{Name: "fake", MaxTokens: 512} }

func (f *fake) LogLik(_ context.Context, requests []sdk.LogLikRequest) ([]sdk.LogLik, error) {
	f.requests = append(f.requests, requests)
	answers := make([]sdk.LogLik, len(requests))
	for i, r := range requests {
		answers[i] = sdk.LogLik{Tokens: len(strings.Fields(r.Continuation)),
			LogProb: f.cost(r.Context, r.Continuation), LogProb2: f.cost(r.Context2, r.Continuation)}
	}
	return answers, f.failed
}

func (f *fake) cost(context []sdk.Turn, continuation string) float64 {
	if f.logProb != nil {
		return f.logProb(context, continuation)
	}
	var known []string
	for _, t := range context {
		known = append(known, strings.Fields(t.Text)...)
	}
	sum := 0.0
	for _, w := range strings.Fields(continuation) {
		if slices.Contains(known, w) {
			sum -= 0.5
		} else {
			sum -= 2
		}
	}
	return sum
}

func (f *fake) Score(context.Context, [][]sdk.Turn) ([][]float64, error) {
	return nil, errors.New("a language model has no head")
}

func (f *fake) Embed(context.Context, []string) ([][]float64, error) {
	return nil, errors.New("not asked for")
}

func (f *fake) Model(name string) (sdk.Model, error) {
	if name != "lm" {
		return nil, errors.New("nothing is bound to " + name)
	}
	return f, nil
}

func (f *fake) Log(sdk.Level, string) {}

func opened(t testing.TB, f *fake, config string) *filter {
	t.Helper()
	p, err := open(sdk.Env{Config: []byte(config), Host: f})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*filter)
}

// talk makes a dialogue of "u: text", "a: text", "s: text" and "t: text".
func talk(id string, lines ...string) sdk.Dialogue {
	roles := map[byte]sdk.Role{'u': sdk.RoleUser, 'a': sdk.RoleAssistant, 's': sdk.RoleSystem, 't': sdk.RoleTool}
	d := sdk.Dialogue{ID: id}
	for _, l := range lines {
		d.Turns = append(d.Turns, sdk.Turn{Role: roles[l[0]], Text: l[3:]})
	}
	return d
}

// By hand: answer 2 has 7 words, of which since, monday and hurts occur before: 9.5 nats with the history, 14 without.
// Answer 3 has 2 words, of which fever is in the question: 2.5 nats both times.
var consultation = talk("hand", "u: what hurts", "a: my head hurts since monday", "u: how long",
	"a: since monday morning it hurts badly now", "u: any fever", "a: no fever")

func TestScoreIsTheMeanRatioOfLossesWithAndWithoutHistory(t *testing.T) {
	for _, c := range []struct {
		config string
		want   sdk.Verdict
	}{
		{`{"low": 0.5, "high": 1, "min_tokens": 5}`, sdk.Verdict{Score: 9.5 / 14,
			Detail: "min 0.679 at turn 3, max 0.679 at turn 3, answers 1"}},
		{`{"low": 0.5, "high": 1, "min_tokens": 2}`, sdk.Verdict{Score: (9.5/14 + 1) / 2,
			Detail: "min 0.679 at turn 3, max 1.000 at turn 5, answers 2"}},
		{`{"low": 0.5, "high": 1, "min_tokens": 5, "short": "weight"}`, sdk.Verdict{Score: (9.5/14 + 0.4) / 1.4,
			Detail: "min 0.679 at turn 3, max 1.000 at turn 5, answers 2"}},
		{`{"low": 0.7, "high": 1, "min_tokens": 5}`, sdk.Verdict{Score: 9.5 / 14, Action: sdk.Drop,
			Reasons: []string{redundantContext}, Detail: "min 0.679 at turn 3, max 0.679 at turn 3, answers 1"}},
		{`{"low": 0.1, "high": 0.6, "max_turn": 0.65, "min_tokens": 5}`, sdk.Verdict{Score: 9.5 / 14, Action: sdk.Drop,
			Reasons: []string{unrelatedContext, unrelatedTurn}, Detail: "min 0.679 at turn 3, max 0.679 at turn 3, answers 1"}},
		{`{"low": 0, "high": 9, "max_turn": 0.9, "min_tokens": 1}`, sdk.Verdict{Score: (9.5/14 + 1) / 2, Action: sdk.Drop,
			Reasons: []string{unrelatedTurn}, Detail: "min 0.679 at turn 3, max 1.000 at turn 5, answers 2"}},
		{`{"low": 0, "high": 9, "min_tokens": 50}`, sdk.Verdict{Score: 1, Reasons: []string{shortAnswers}}},
	} {
		got, err := opened(t, &fake{}, c.config).Filter(context.Background(), []sdk.Dialogue{consultation})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]sdk.Verdict{c.want}, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Errorf("%s: want (-), got (+):\n%s", c.config, diff)
		}
	}
}

func TestAnswersAreAskedAboutInOneRequest(t *testing.T) {
	f := &fake{}
	mixed := talk("mixed", "s: be kind", "u: q1", "a: a1", "a: more", "u: q2", "t: result", "a: a2", "s: note",
		"u: q3", "a: a3").Turns
	_, err := opened(t, f, `{}`).Filter(context.Background(), []sdk.Dialogue{
		consultation, talk("one", "u: a", "a: b"), {Turns: mixed},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]sdk.LogLikRequest{{
		{Context: consultation.Turns[:3], Context2: consultation.Turns[2:3], Continuation: consultation.Turns[3].Text},
		{Context: consultation.Turns[:5], Context2: consultation.Turns[4:5], Continuation: "no fever"},
		{Context: mixed[:6], Context2: []sdk.Turn{mixed[0], mixed[4], mixed[5]}, Continuation: "a2"},
		{Context: mixed[:9], Context2: []sdk.Turn{mixed[0], mixed[7], mixed[8]}, Continuation: "a3"},
	}}
	if diff := cmp.Diff(want, f.requests); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func TestDialogueWithOneAnswerIsKept(t *testing.T) {
	for _, d := range []sdk.Dialogue{
		talk("one", "u: where does it hurt", "a: in the head and in the neck"), talk("none", "u: hello"), {},
		talk("twice", "u: where", "a: here", "a: and there"), talk("unasked", "a: welcome", "u: where", "a: here"),
	} {
		f := &fake{}
		got, err := opened(t, f, `{}`).Filter(context.Background(), []sdk.Dialogue{d})
		want := []sdk.Verdict{{Action: sdk.Keep, Score: 1, Reasons: []string{singleTurn}}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil || len(f.requests) > 0 {
			t.Errorf("%s: error %v, %d requests, want (-), got (+):\n%s", d.ID, err, len(f.requests), diff)
		}
	}
}

// ratioTalk is a dialogue whose only ratio the model of ratios takes from its question.
func ratioTalk(id string, r float64) sdk.Dialogue {
	return talk(id, "u: -", "a: -", fmt.Sprintf("u: %v", r), "a: the answer")
}

func ratios() *fake {
	return &fake{logProb: func(context []sdk.Turn, _ string) float64 {
		if len(context) == 1 {
			return -1
		}
		var r float64
		fmt.Sscan(context[2].Text, &r)
		return -r
	}}
}

func TestQuantileBoundsAreAppliedAtTheEnd(t *testing.T) {
	f := opened(t, ratios(), `{"low": "q10", "high": "q90", "min_tokens": 1}`)
	var actions []sdk.Action
	for i := range 11 { // 0.5, 0.6 .. 1.5 in two batches: the 10th percentile is 0.6, the 90th 1.4
		got, err := f.Filter(context.Background(), []sdk.Dialogue{ratioTalk("", 0.5+float64(i)/10), talk("", "u: a", "a: b")})
		if err != nil || got[0].Action != sdk.Later || got[1].Action != sdk.Keep {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	verdicts, err := f.Flush(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		actions = append(actions, v.Action)
	}
	want := make([]sdk.Action, 11)
	want[0], want[10] = sdk.Drop, sdk.Drop
	if diff := cmp.Diff(want, actions); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if again, err := f.Flush(context.Background()); len(again) > 0 || err != nil {
		t.Errorf("a second flush gives %v, %v", again, err)
	}
}

func TestQuantilesInterpolate(t *testing.T) {
	for share, want := range map[float64]float64{0: 1, 0.25: 1.75, 0.5: 2.5, 1: 4} {
		if got := quantile([]float64{1, 2, 3, 4}, share); got != want {
			t.Errorf("quantile %v is %v, want %v", share, got, want)
		}
	}
	if got := quantile([]float64{7}, 0.3); got != 7 {
		t.Errorf("quantile of one value is %v", got)
	}
}

// verdicts runs a filter over dialogues in batches of the given sizes and returns its last word on each, by ID.
func verdicts(t *rapid.T, config string, dialogues []sdk.Dialogue, sizes []int) map[string]sdk.Verdict {
	p, err := open(sdk.Env{Config: []byte(config), Host: &fake{}})
	if err != nil {
		t.Fatal(err)
	}
	f, all := p.(*filter), map[string]sdk.Verdict{}
	var later []string
	for i := 0; len(dialogues) > 0; i++ {
		n := min(len(dialogues), sizes[i%len(sizes)])
		got, err := f.Filter(context.Background(), dialogues[:n])
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range got {
			if all[dialogues[k].ID] = v; v.Action == sdk.Later {
				later = append(later, dialogues[k].ID)
			}
		}
		dialogues = dialogues[n:]
	}
	flushed, err := f.Flush(context.Background())
	if err != nil || len(flushed) != len(later) {
		t.Fatalf("%d verdicts to %d postponed dialogues, error %v", len(flushed), len(later), err)
	}
	for k, v := range flushed {
		all[later[k]] = v
	}
	return all
}

func TestVerdictsDoNotDependOnOrderOrBatches(t *testing.T) {
	words := rapid.SliceOfN(rapid.SampledFrom([]string{"pain", "head", "since", "fever", "no", "yes", "rest"}), 1, 9)
	batches := rapid.SliceOfN(rapid.IntRange(1, 7), 1, 5)
	rapid.Check(t, func(t *rapid.T) {
		dialogues := make([]sdk.Dialogue, rapid.IntRange(1, 20).Draw(t, "dialogues"))
		for i := range dialogues {
			dialogues[i].ID = fmt.Sprint(i)
			for k := range rapid.IntRange(0, 8).Draw(t, "turns") {
				turn := sdk.Turn{Role: sdk.RoleUser, Text: strings.Join(words.Draw(t, "words"), " ")}
				if k%2 == 1 {
					turn.Role = sdk.RoleAssistant
				}
				dialogues[i].Turns = append(dialogues[i].Turns, turn)
			}
		}
		config := rapid.SampledFrom([]string{
			`{"min_tokens": 3}`, `{"low": 0.6, "high": 1.1, "short": "weight"}`,
			`{"low": "q20", "high": "q80", "max_turn": "q95"}`,
		}).Draw(t, "config")
		want := verdicts(t, config, dialogues, []int{len(dialogues)})
		shuffled := rapid.Permutation(dialogues).Draw(t, "order")
		if diff := cmp.Diff(want, verdicts(t, config, shuffled, batches.Draw(t, "batches"))); diff != "" {
			t.Fatalf("at once (-), shuffled in batches (+):\n%s", diff)
		}
	})
}

func TestOddLikelihoodIsAFaultOfItsDialogue(t *testing.T) {
	f := ratios()
	plain := f.logProb
	f.logProb = func(context []sdk.Turn, continuation string) float64 {
		if context[len(context)-1].Text == "NaN" {
			return math.NaN()
		}
		return plain(context, continuation)
	}
	got, err := opened(t, f, `{"low": 0, "min_tokens": 1}`).Filter(context.Background(),
		[]sdk.Dialogue{ratioTalk("", 0.5), ratioTalk("", math.NaN()), ratioTalk("", 0.7)})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Status != sdk.OK || got[1].Status != sdk.Fault || got[2].Status != sdk.OK || got[1].Detail == "" {
		t.Errorf("%+v", got)
	}
}

func TestForeseenAnswerHasAFiniteRatio(t *testing.T) {
	f := &fake{logProb: func([]sdk.Turn, string) float64 { return 0 }}
	got, err := opened(t, f, `{"low": 0, "min_tokens": 1}`).Filter(context.Background(), []sdk.Dialogue{ratioTalk("", 1)})
	if err != nil || got[0].Score != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFailureOfTheModelFailsTheBatch(t *testing.T) {
	f := &fake{failed: errors.New("out of memory")}
	if _, err := opened(t, f, `{}`).Filter(context.Background(), []sdk.Dialogue{consultation}); !errors.Is(err, f.failed) {
		t.Errorf("error %v", err)
	}
}

func TestWrongConfigurationIsRefused(t *testing.T) {
	for config, want := range map[string]string{
		`{"low": "5%"}`:                   `"5%" is no bound`,
		`{"low": "q101"}`:                 "no bound",
		`{"high": "qNaN"}`:                "no bound",
		`{"high": null}`:                  "not null",
		`{"high": true}`:                  "bool",
		`{"low": 2}`:                      "low 2 is above high 1",
		`{"low": "q90", "high": "q10"}`:   "above high",
		`{"short": "drop"}`:               `short is "drop"`,
		`{"min_tokens": 0}`:               "min_tokens is 0",
		`{"low": "q2.5", "max_turn": 2}`:  "",
		`{"low": "q05", "high": "q100"}`:  "",
		`{"low": 0.2, "max_turn": "q99"}`: "",
	} {
		_, err := open(sdk.Env{Config: []byte(config), Host: &fake{}})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want one with %q", config, err, want)
		}
	}
}
