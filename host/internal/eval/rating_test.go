package eval

import (
	"math"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/sdk"
)

func TestSpearman(t *testing.T) {
	cases := []struct {
		name string
		a, b []float64
		want float64
	}{
		{"same order", []float64{1, 2, 3}, []float64{10, 20, 40}, 1},
		{"reversed", []float64{1, 2, 3}, []float64{3, 2, 1}, -1},
		// Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5 / sqrt(4.5 * 5).
		{"ties share their rank", []float64{1, 2, 2, 3}, []float64{1, 2, 3, 4}, 4.5 / math.Sqrt(4.5*5)},
	}
	for _, c := range cases {
		if got := Spearman(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
	if got := Spearman([]float64{1, 1}, []float64{1, 2}); !math.IsNaN(got) {
		t.Errorf("a constant has correlation %g, want NaN", got)
	}
}

func TestRatingsAgreeByOrderAndError(t *testing.T) {
	s := judge(t, 1)
	texts := []string{"the patient has fever", "rest", "water and noise", "病人发烧"}
	rows := make([][]sdk.Turn, len(texts))
	for i, text := range texts {
		rows[i] = raw(text)
	}
	scores, err := s.Score(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	// Labels in the opposite order of the model's scores, each off by as much as is written here.
	records, mae := make([]*data.Record, len(texts)), 0.0
	for i, text := range texts {
		label := float32(-scores[i][0])
		records[i] = &data.Record{Text: text, Scores: map[string]float32{"label": 100, "quality": label}}
		mae += math.Abs(scores[i][0]-float64(label)) / float64(len(texts))
	}
	got, err := MeasureRatings(t.Context(), s, records, "quality")
	if err != nil || got.Documents != 4 || math.Abs(got.Spearman+1) > 1e-12 || math.Abs(got.MAE-mae) > 1e-9 {
		t.Errorf("%+v, want a correlation of -1 and an error of %g (%v)", got, mae, err)
	}
}

func TestARecordWithoutRatingIsNamed(t *testing.T) {
	records := []*data.Record{
		{File: "rated.jsonl", Line: 1, Scores: map[string]float32{"label": 1}}, {File: "rated.jsonl", Line: 2},
	}
	_, err := MeasureRatings(t.Context(), judge(t, 1), records, "label")
	if err == nil || !strings.Contains(err.Error(), `rated.jsonl:2 has no score "label"`) {
		t.Errorf("error %v", err)
	}
}
