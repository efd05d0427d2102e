package rewardhead

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/sdk"
)

// fake rewards the length of the last turn and keeps what it was asked.
type fake struct {
	outputs int
	failed  error
	asked   [][]sdk.Turn
	answer  func(last sdk.Turn) []float64
}

func (f *fake) Info() sdk.ModelInfo { return sdk.ModelInfo{Name: "fake", Outputs: f.outputs} }

func (f *fake) LogLik(context.Context, []sdk.LogLikRequest) ([]sdk.LogLik, error) {
	return nil, errors.New("not asked for")
}

func (f *fake) Score(_ context.Context, texts [][]sdk.Turn) ([][]float64, error) {
	f.asked = append(f.asked, texts...)
	var answers [][]float64
	for _, turns := range texts {
		answers = append(answers, f.answer(turns[len(turns)-1]))
	}
	return answers, f.failed
}

func (f *fake) Embed(context.Context, []string) ([][]float64, error) {
	return nil, errors.New("not asked for")
}

func (f *fake) Model(name string) (sdk.Model, error) {
	if name != "reward" {
		return nil, errors.New("nothing is bound to " + name)
	}
	return f, nil
}

func (f *fake) Log(sdk.Level, string) {}

func byLength(last sdk.Turn) []float64 { return []float64{float64(len(last.Text))} }

var question = []sdk.Turn{{Role: sdk.RoleUser, Text: "why"}}

func TestAnswerIsJudgedAsTheLastTurn(t *testing.T) {
	f := &fake{outputs: 1, answer: byLength}
	h, err := open(sdk.Env{Config: []byte(`{"scale": 0.5, "offset": -1}`), Host: f})
	if err != nil {
		t.Fatal(err)
	}
	history := append(make([]sdk.Turn, 0, 4), question...)
	got, err := h.(*head).Reward(context.Background(), []sdk.Sample{
		{History: history, Response: "because"}, {History: history, Response: "no"}, {Response: ""},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]sdk.Judgement{{Reward: 2.5}, {Reward: 0}, {Reward: -1}}, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	answer := func(text string) sdk.Turn { return sdk.Turn{Role: sdk.RoleAssistant, Text: text} }
	want := [][]sdk.Turn{{question[0], answer("because")}, {question[0], answer("no")}, {answer("")}}
	if diff := cmp.Diff(want, f.asked); diff != "" {
		t.Errorf("want (-), asked (+):\n%s", diff)
	}
}

func TestOddOutputIsAFault(t *testing.T) {
	for _, output := range [][]float64{{math.NaN()}, {math.Inf(1)}, {}, {1, 2}} {
		f := &fake{outputs: 1, answer: func(last sdk.Turn) []float64 {
			if last.Text == "odd" {
				return output
			}
			return []float64{1}
		}}
		h, err := open(sdk.Env{Config: []byte(`{}`), Host: f})
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.(*head).Reward(context.Background(), []sdk.Sample{{Response: "odd"}, {Response: "plain"}})
		if err != nil || got[0].Status != sdk.Fault || got[0].Detail == "" || got[1].Status != sdk.OK {
			t.Errorf("%v: %+v, %v", output, got, err)
		}
	}
}

func TestFailureOfTheModelFailsTheBatch(t *testing.T) {
	f := &fake{outputs: 1, answer: byLength, failed: errors.New("out of memory")}
	h, err := open(sdk.Env{Config: []byte(`{}`), Host: f})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.(*head).Reward(context.Background(), []sdk.Sample{{}}); !errors.Is(err, f.failed) {
		t.Errorf("error %v", err)
	}
}

func TestWrongConfigurationAndModelAreRefused(t *testing.T) {
	for _, c := range []struct {
		config  string
		outputs int
		want    string
	}{
		{`{"scale": "2"}`, 1, "string"}, {`{}`, 0, "0 outputs"}, {`{}`, 6, "6 outputs"},
	} {
		_, err := open(sdk.Env{Config: []byte(c.config), Host: &fake{outputs: c.outputs}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %d outputs: error %v", c.config, c.outputs, err)
		}
	}
}
