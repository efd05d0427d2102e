package judge

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/sdk"
)

func TestRatingIsReadFromTheAnswer(t *testing.T) {
	for text, want := range map[string]float64{
		"Quality score: 4": 4, "quality SCORE:3.5": 3.5, "**Quality score:** 5": 5, "Quality score: **2**": 2,
		"score: 4/5":         4,
		"Quality score: <0>": 0, "质量得分：3": 3, "理由……\n质量得分：4 分": 4, "评分为 2.25": 2.25, "Score: 1\nQuality score: 4": 4,
		"The score rests on style. Quality score: 3.": 3,
		"": math.NaN(), "4": math.NaN(), "Quality score: high": math.NaN(), "Quality score: 7": math.NaN(),
		"Quality score: 45": math.NaN(), "Quality score: -1": math.NaN(), "Quality score:": math.NaN(),
		"Quality score: 3\nQuality score: 9": math.NaN(),
	} {
		got, err := readRating(text)
		if unreadable := math.IsNaN(want); unreadable != errors.Is(err, errUnreadable) || !unreadable && got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestComparisonIsReadFromTheAnswer(t *testing.T) {
	for text, want := range map[string]outcome{
		"Better answer: 1": win, "Better answer: **2**": loss, "BETTER ANSWER: Tie": tie, "更好的回答：1": win, "更好的回答是 2。": loss,
		"更好的回答：平局": tie, "Better answer: 1\nBetter answer: 2": loss,
	} {
		if got, err := readComparison(text); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "Better answer: both", "Better answer: 3", "Better answer: 12"} {
		if got, err := readComparison(text); !errors.Is(err, errUnreadable) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{"Quality score: 4", "质量得分：3.9999", "better answer: 1", "score\xff", "评分", "score: 3."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := readRating(text); err == nil && !(v >= 0 && v <= 5) {
			t.Errorf("rating %v", v)
		}
		if o, err := readComparison(text); err == nil && (o < loss || o > win) {
			t.Errorf("outcome %d", o)
		}
	})
}

func TestLongTextsAreCut(t *testing.T) {
	p := ratingPrompt(&sdk.Document{Text: "多喝水，多休息。再说。"}, 8, 0)
	if !strings.Contains(p, "多喝水，多休息。［截断］") || strings.Contains(p, "再说") {
		t.Error(p)
	}
	history := []sdk.Turn{{Role: sdk.RoleUser, Text: "old words, new words"}}
	p = comparisonPrompt(&sdk.Sample{History: history, Response: "a", Reference: "b"}, 9, 0)
	if !strings.Contains(p, "[cut]new words") || strings.Contains(p, "old") {
		t.Error(p)
	}
}

func TestPaceSpreadsRequests(t *testing.T) {
	p, now := pace{interval: time.Second}, time.Now()
	for i, at := range []time.Duration{0, 0, 500 * time.Millisecond, 10 * time.Second, 10 * time.Second} {
		want := []time.Duration{0, time.Second, 1500 * time.Millisecond, 0, time.Second}[i]
		if got := p.next(now.Add(at)); got != want {
			t.Errorf("request %d at %v waits %v, want %v", i, at, got, want)
		}
	}
}

func TestWrongConfigurationIsRefused(t *testing.T) {
	for config, want := range map[string]string{
		`{"model": "m"}`: `endpoint "" is not a URL`,
		`{"endpoint": "ftp://h/v1", "model": "m"}`:                         "not a URL of http or https",
		`{"endpoint": "http://user:pw@h/v1", "model": "m"}`:                "api_key_env",
		`{"endpoint": "http://h/v1?key=1", "model": "m"}`:                  "api_key_env",
		`{"endpoint": "http://h/v1"}`:                                      "model is missing",
		`{"endpoint": "http://h/v1", "model": "m", "timeout": 0}`:          "timeout is 0",
		`{"endpoint": "http://h/v1", "model": "m", "parallel": 0}`:         "parallel is 0",
		`{"endpoint": "http://h/v1", "model": "m", "replay": "always"}`:    `replay is "always"`,
		`{"endpoint": "http://h/v1", "model": "m", "replay": "only"}`:      "needs record",
		`{"endpoint": "http://h/v1", "model": "m", "api_key_env": "NO_K"}`: "NO_K is empty or not granted",
	} {
		_, err := open(sdk.Env{Config: []byte(config), Host: &host{}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pw") {
			t.Errorf("%s: error %v, want one with %q", config, err, want)
		}
	}
}
