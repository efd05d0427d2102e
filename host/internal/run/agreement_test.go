package run

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/carebot-llm/carebot/sdk"
)

// judgements are rewards; NaN stands for abstention, below -100 for a fault.
func judgements(rewards ...float64) []sdk.Judgement {
	all := make([]sdk.Judgement, len(rewards))
	for i, r := range rewards {
		switch all[i].Reward = r; {
		case r == abstains:
			all[i] = sdk.Judgement{Status: sdk.Abstain}
		case r == fails:
			all[i] = sdk.Judgement{Status: sdk.Fault}
		}
	}
	return all
}

const (
	abstains = -1e9
	fails    = -2e9
)

func TestTwoRewardsAreCompared(t *testing.T) {
	var c contest
	c.add(judgements(1, 2, 3), judgements(1, 3, 2))            // another best
	c.add(judgements(0, 4), judgements(10, 20))                // the same pair
	c.add(judgements(5, 5), judgements(5, 5))                  // neither makes a pair
	c.add(judgements(1, 1), judgements(0, 1))                  // only the new one does
	c.add(judgements(abstains, 1, 2), judgements(1, fails, 3)) // one answer was judged by both
	number := func(v float64) *float64 { return &v }
	got := c.result()
	got.Spearman, got.Kendall = nil, nil
	want := &Agreement{
		Samples: 10, Prompts: 4, Same: number(0.25), Flips: number(0.25),
		Old:        Distribution{Judged: 11, Abstained: 1, Rewards: got.Old.Rewards},
		New:        Distribution{Judged: 11, Faults: 1, Rewards: got.New.Rewards},
		Difference: got.Difference,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if mean := got.Difference.Mean; mean != 2.6 { // 0+1-1 +10+16 +0+0 -1+0 +1, of 10
		t.Errorf("the mean difference is %g", mean)
	}
}

func TestWhatNothingDefinesIsNull(t *testing.T) {
	var c contest
	if diff := cmp.Diff(&Agreement{}, c.result()); diff != "" {
		t.Errorf("of nothing (-want +got):\n%s", diff)
	}
	c.add(judgements(1, 1), judgements(1, 2))
	if a := c.result(); a.Spearman != nil || a.Kendall != nil || a.Flips != nil || a.Same == nil {
		t.Errorf("with a constant: %+v", a)
	}
}

func TestASpreadHasMeanAndDeciles(t *testing.T) {
	want := &Spread{Mean: 2, Deciles: [11]float64{1, 1.2, 1.4, 1.6, 1.8, 2, 2.2, 2.4, 2.6, 2.8, 3}}
	if diff := cmp.Diff(want, spread([]float64{3, 1, 2}), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBestAndWorstAreTheFirstOfEquals(t *testing.T) {
	for _, c := range []struct {
		rewards []float64
		want    chosenPair
	}{
		{nil, none},
		{[]float64{1}, none},
		{[]float64{1, 1, 1}, none},
		{[]float64{abstains, fails}, none},
		{[]float64{1, 2}, chosenPair{1, 0}},
		{[]float64{2, 1, 2, 1}, chosenPair{0, 1}},
		{[]float64{fails, 3, abstains, -3, 3}, chosenPair{1, 3}},
	} {
		if got := bestAndWorst(judgements(c.rewards...)); got != c.want {
			t.Errorf("of %v: %v, want %v", c.rewards, got, c.want)
		}
	}
}
