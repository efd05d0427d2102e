package eval

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/sdk"
)

// Agreement compares a rater model with given ratings.
type Agreement struct {
	Documents int     `json:"documents"`
	Spearman  float64 `json:"spearman"`
	MAE       float64 `json:"mae"` // mean absolute error
}

// MeasureRatings rates the records' texts by the head's first output and compares with the score column label.
func MeasureRatings(ctx context.Context, s *Served, records []*data.Record, label string) (Agreement, error) {
	texts := make([][]sdk.Turn, len(records))
	truth := make([]float64, len(records))
	for i, r := range records {
		score, ok := r.Scores[label]
		if !ok {
			return Agreement{}, fmt.Errorf("ratings: %s:%d has no score %q", r.File, r.Line, label)
		}
		texts[i], truth[i] = []sdk.Turn{{Text: r.Text}}, float64(score)
	}
	rows, err := s.Score(ctx, texts)
	if err != nil {
		return Agreement{}, fmt.Errorf("ratings: %w", err)
	}
	a := Agreement{Documents: len(records)}
	given := make([]float64, len(rows))
	for i, row := range rows {
		given[i] = row[0]
		a.MAE += math.Abs(row[0]-truth[i]) / float64(len(rows))
	}
	a.Spearman = Spearman(given, truth)
	return a, nil
}

// Spearman is the rank correlation of a and b: Pearson's coefficient of the ranks, equal values sharing their mean rank. It is
// NaN when one of them is constant.
func Spearman(a, b []float64) float64 { return pearson(ranks(a), ranks(b)) }

func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(values[i], values[j]) })
	all := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			all[i] = float64(from+to-1) / 2
		}
		from = to
	}
	return all
}

func pearson(a, b []float64) float64 {
	ma, mb := mean(a), mean(b)
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	return ab / math.Sqrt(aa*bb)
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
