package examreward

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/sdk"
)

func set(letters string) (o options) {
	for _, r := range letters {
		o |= option(r)
	}
	return o
}

func TestOptionIsReadFromAnAnswer(t *testing.T) {
	for _, c := range []struct {
		text, want string
		stated     bool
	}{
		// Statements.
		{"Answer: B", "B", true},
		{"**Answer:** (b)", "B", true},
		{"The answer is B.", "B", true},
		{"The answer is **B** because the patient has a fever.", "B", true},
		{"So the correct answer is option (C), aspirin.", "C", true},
		{"The answer to the question is most likely D", "D", true},
		{"answer = E", "E", true},
		{"Correct option: A) Aspirin", "A", true},
		{"I would choose C here.", "C", true},
		{"The final answer is $\\boxed{\\text{B}}$.", "B", true},
		{"\\boxed{A}", "A", true},
		{"ANSWER:\n\nB. Pneumonia\n\nA. would cause pain.", "B", true},
		{"答案是B", "B", true},
		{"答案：Ｂ", "B", true},
		{"正确答案为（C）。", "C", true},
		{"答案应该是D，因为患者发热", "D", true},
		{"综上，故选A", "A", true},
		{"本题选择【E】。", "E", true},
		{"答案B。", "B", true},
		{"答案是选项C", "C", true},
		{"正确的是：D", "D", true},
		{"Answer: B. A is wrong, C is wrong.", "B", true},
		{"A. aspirin\nB. rest\nAnswer: B", "B", true},
		// Verdicts, line starts, brackets.
		{"Option B is correct, since the others do not help.", "B", true},
		{"B项正确，其余错误。", "B", true},
		{"B是正确答案", "B", true},
		{"B", "B", true},
		{" B.\n", "B", true},
		{"(b) rest", "B", true},
		{"C、阿司匹林", "C", true},
		{"D) Warfarin", "D", true},
		{"The patient should rest.\nB", "B", true},
		{"Fever and cough point to (B).", "B", false},
		// Several options are all named.
		{"Answer: A or B", "AB", true},
		{"Answer: A, C", "AC", true},
		{"答案：ABD", "ABD", true},
		{"答案是A和C", "AC", true},
		{"The answer is A. On reflection, the answer is B.", "AB", true},
		{"A. aspirin\nB. rest\nC. water", "ABC", true},
		{"A、B正确", "AB", true},
		{"It is (A) or (B).", "AB", false},
		{"Select the correct option:\nA. aspirin\nB. rest", "AB", true},
		// None.
		{"", "", false},
		{"Aspirin helps.", "", false},
		{"A patient with fever needs rest.", "", false},
		{"The answer is a vaccine.", "", false},
		{"The answer is Aspirin.", "", false},
		{"The answer is not B.", "", false},
		{"The wrong answer is B", "", false},
		{"I would not choose B", "", false},
		{"答案不是B", "", false},
		{"不选B，也不能选C", "", false},
		{"错误答案是B", "", false},
		{"选项B是错误的", "", false},
		{"The answer is E. coli.", "", false},
		{"首选B超检查", "", false},
		{"B不正确", "", false},
		{"All options are wrong: Z.", "", false},
	} {
		got, stated := chosen(c.text)
		if got != set(c.want) || stated != c.stated {
			t.Errorf("%q: %v, stated %v; want %v, %v", c.text, got, stated, set(c.want), c.stated)
		}
	}
}

func TestRewardFollowsKeyAndFormat(t *testing.T) {
	parts := func(correct, format float64) map[string]float64 {
		return map[string]float64{"correct": correct, "format": format}
	}
	for _, c := range []struct {
		config, response, reference string
		want                        sdk.Judgement
	}{
		{`{}`, "Answer: B", "B", sdk.Judgement{Reward: 1, Parts: parts(1, 1), Detail: "names B, key B"}},
		{`{}`, "Answer: C", "B", sdk.Judgement{Reward: 0.1, Parts: parts(0, 1), Detail: "names C, key B"}},
		{`{}`, "it points to (B)", "(B)", sdk.Judgement{Reward: 0.9, Parts: parts(1, 0), Detail: "names B, key B"}},
		{`{}`, "Answer: A or B", "B", sdk.Judgement{Parts: parts(0, 0), Detail: "names A,B, key B"}},
		{`{}`, "rest and water", "答案：B", sdk.Judgement{Parts: parts(0, 0), Detail: "names none, key B"}},
		{`{"correct": 2, "format": 0.5}`, "选B", "b",
			sdk.Judgement{Reward: 2.5, Parts: parts(1, 1), Detail: "names B, key B"}},
		{`{}`, "Answer: B", "", sdk.Judgement{Status: sdk.Abstain, Detail: "the reference names no single option"}},
		{`{}`, "Answer: AB", "AB", sdk.Judgement{Status: sdk.Abstain, Detail: "the reference names no single option"}},
		{`{}`, "", "yes", sdk.Judgement{Status: sdk.Abstain, Detail: "the reference names no single option"}},
	} {
		e, err := open(sdk.Env{Config: []byte(c.config)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.(*examiner).Reward(context.Background(), []sdk.Sample{{Response: c.response, Reference: c.reference}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]sdk.Judgement{c.want}, got); diff != "" {
			t.Errorf("%q, %q: want (-), got (+):\n%s", c.response, c.reference, diff)
		}
	}
}

func TestWrongConfigurationIsRefused(t *testing.T) {
	for config, want := range map[string]string{
		`{"correct": -1}`: "negative", `{"format": "no"}`: "string",
	} {
		if _, err := open(sdk.Env{Config: []byte(config)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", config, err, want)
		}
	}
}

// Whatever an answer holds, it costs no panic, and several named options are never paid.
func FuzzReward(f *testing.F) {
	for _, text := range []string{"Answer: B", "答案是（B）", "\\boxed{", "A, B", "(A", "\xff选", "answer is\n\nA.\nB.", "ＡＢ"} {
		f.Add(text, "B")
	}
	e := &examiner{Correct: 0.9, Format: 0.1}
	f.Fuzz(func(t *testing.T, response, reference string) {
		j := e.judge(response, reference)
		if math.IsNaN(j.Reward) || j.Reward < 0 || j.Reward > 1 {
			t.Errorf("reward %v", j.Reward)
		}
		if o, _ := chosen(response); o.count() != 1 && j.Reward != 0 {
			t.Errorf("reward %v for %v", j.Reward, o)
		}
	})
}
