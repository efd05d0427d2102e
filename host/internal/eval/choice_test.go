package eval

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/sdk"
)

var (
	english = &data.Record{
		ID: "en-1", Language: "en", Question: "What helps against fever?",
		Options: []string{"rest", "running", "noise"}, Answer: 0,
	}
	chinese = &data.Record{
		ID: "zh-1", Language: "zh", Question: "发烧怎么办？", Options: []string{"跑步", "休息"}, Answer: 1,
	}
	another = &data.Record{
		Language: "en", Question: "What helps against thirst?", Options: []string{"salt", "water"}, Answer: 1,
	}
)

func TestQuestionsAreAskedAsWritten(t *testing.T) {
	role := func(r sdk.Role, text string) sdk.Turn { return sdk.Turn{Role: r, Text: text} }
	for name, c := range map[string]struct {
		options  ChoiceOptions
		question *data.Record
		context  []sdk.Turn
		second   string // continuation of the second option
	}{
		"text": {ChoiceOptions{}, english, raw("Question: What helps against fever?\nAnswer:"), " running"},
		"letters": {ChoiceOptions{Letters: true}, english,
			raw("Question: What helps against fever?\nA. rest\nB. running\nC. noise\nAnswer:"), " B"},
		"Chinese text":    {ChoiceOptions{}, chinese, raw("问题：发烧怎么办？\n答案："), "休息"},
		"Chinese letters": {ChoiceOptions{Letters: true}, chinese, raw("问题：发烧怎么办？\nA. 跑步\nB. 休息\n答案："), "B"},
		"chat":            {ChoiceOptions{Chat: true}, english, user("What helps against fever?"), "running"},
		"chat letters": {ChoiceOptions{Chat: true, Letters: true}, english,
			user("What helps against fever?\nA. rest\nB. running\nC. noise"), "B"},
		"shots": {ChoiceOptions{Shots: []*data.Record{another, chinese}}, english,
			raw("Question: What helps against thirst?\nAnswer: water\n\n" + "问题：发烧怎么办？\n答案：休息\n\n" +
				"Question: What helps against fever?\nAnswer:"), " running"},
		"shots of letters": {ChoiceOptions{Shots: []*data.Record{another}, Letters: true}, chinese,
			raw("Question: What helps against thirst?\nA. salt\nB. water\nAnswer: B\n\n" +
				"问题：发烧怎么办？\nA. 跑步\nB. 休息\n答案："), "B"},
		"chat with shots": {ChoiceOptions{Shots: []*data.Record{another}, Letters: true, Chat: true}, chinese,
			[]sdk.Turn{
				role(sdk.RoleUser, "What helps against thirst?\nA. salt\nB. water"), role(sdk.RoleAssistant, "B"),
				role(sdk.RoleUser, "发烧怎么办？\nA. 跑步\nB. 休息"),
			}, "B"},
	} {
		if diff := cmp.Diff(c.context, c.options.context(c.question)); diff != "" {
			t.Errorf("%s: context (-want +got):\n%s", name, diff)
		}
		if got := c.options.continuation(c.question, 1); got != c.second {
			t.Errorf("%s: continuation %q, want %q", name, got, c.second)
		}
	}
}

func TestTheLikeliestOptionIsChosen(t *testing.T) {
	s := talker(t, 1)
	questions := []*data.Record{english, chinese}
	for name, o := range map[string]ChoiceOptions{
		"text": {}, "letters": {Letters: true}, "chat": {Chat: true}, "shots": {Shots: []*data.Record{another}},
	} {
		items, err := MeasureChoice(t.Context(), s, questions, o)
		if err != nil || len(items) != len(questions) {
			t.Fatalf("%s: %d items, %v", name, len(items), err)
		}
		for i, q := range questions {
			want := Item{ID: q.ID, Question: q.Question, Options: q.Options, Answer: q.Answer, Language: q.Language}
			for option, text := range q.Options {
				score := loglik(t, s, sdk.LogLikRequest{Context: o.context(q), Continuation: o.continuation(q, option)}).LogProb
				if !o.Letters {
					score /= float64(len(text))
				}
				want.Scores = append(want.Scores, score)
				if score > want.Scores[want.Chosen] {
					want.Chosen = option
				}
			}
			want.Correct = want.Chosen == q.Answer
			if diff := cmp.Diff(want, items[i]); diff != "" {
				t.Errorf("%s, question %s (-want +got):\n%s", name, q.ID, diff)
			}
		}
	}
}

func TestTheFirstOfEqualsIsChosen(t *testing.T) {
	items, err := MeasureChoice(t.Context(), uniform(t), []*data.Record{english, chinese}, ChoiceOptions{Letters: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, correct := range []bool{true, false} {
		if items[i].Chosen != 0 || items[i].Correct != correct {
			t.Errorf("question %s: chose %d of %v, correct %v", items[i].ID, items[i].Chosen, items[i].Scores, items[i].Correct)
		}
	}
}

func TestAFailingQuestionIsReported(t *testing.T) {
	_, err := MeasureChoice(t.Context(), judge(t, 1), []*data.Record{english}, ChoiceOptions{})
	if err == nil || !strings.HasPrefix(err.Error(), "multiple choice: ") {
		t.Errorf("error %v", err)
	}
}

func TestAccuraciesAreByLanguage(t *testing.T) {
	two, four := make([]string, 2), make([]string, 4)
	got := Accuracies([]Item{
		{Language: "en", Options: two, Correct: true},
		{Language: "en", Options: four},
		{Language: "zh", Options: four},
		{Language: "en", Options: four, Correct: true},
	})
	want := map[string]Accuracy{
		"en": {Items: 3, Correct: 2, Share: 2.0 / 3, Chance: 1.0 / 3},
		"zh": {Items: 1, Chance: 0.25},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
