package wire

import (
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/sdk"
)

// EncodeJudgements writes the answer to samples. A part that the manifest does not declare is an error.
func (t *Tables) EncodeJudgements(b *Builder, batch uint64, judgements []sdk.Judgement) ([]byte, error) {
	n := len(judgements)
	b.Begin(Samples|Answer, n, 3+len(t.scores), batch)
	b.u8(ColStatus, n, func(i int) uint8 { return uint8(judgements[i].Status) })
	b.texts(ColDetail, n, func(i int) string { return detail(judgements[i].Detail) })
	b.f32(ColReward, n, func(i int) float64 { return judgements[i].Reward })
	if err := t.encodeScores(b, n, func(i int) map[string]float64 { return judgements[i].Parts }); err != nil {
		return nil, err
	}
	return b.Finish()
}

// DecodeJudgements reads the answer to samples, as DecodeRatings does. A row without an answer has reward NaN, never 0.
func (t *Tables) DecodeJudgements(f *Frame) ([]sdk.Judgement, error) {
	f.expect(Samples | Answer)
	f.require(ColReward)
	status, details, scores := f.status(), f.texts(ColDetail, f.Rows), t.decodeScores(f)
	reward := f.f32(ColReward, f.Rows)
	if f.err != nil {
		return nil, f.err
	}
	judgements := make([]sdk.Judgement, f.Rows)
	for i := range judgements {
		parts, wrong := scores.row(i)
		if wrong == "" && !finite(reward[i]) {
			wrong = fmt.Sprintf("reward is %v", reward[i])
		}
		switch {
		case status[i] != sdk.OK:
			judgements[i] = t.FaultyJudgement(details.at(i))
			judgements[i].Status = status[i]
		case wrong != "":
			judgements[i] = t.FaultyJudgement(wrong)
		default:
			judgements[i] = sdk.Judgement{Reward: reward[i], Parts: parts, Detail: detail(details.at(i))}
		}
	}
	return judgements, nil
}

// FaultyJudgement returns the judgement of a sample on which the plugin failed.
func (t *Tables) FaultyJudgement(why string) sdk.Judgement {
	return sdk.Judgement{Status: sdk.Fault, Reward: math.NaN(), Parts: t.none(), Detail: detail(why)}
}
