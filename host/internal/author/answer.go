package author

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/sdktest/standin"
)

// An answer is what a plugin says of one record, as a line of JSON. A score without a value is left out.
type answer struct {
	ID      string             `json:"id"`
	Place   string             `json:"place"` // file:line
	Status  string             `json:"status"`
	Scores  map[string]float64 `json:"scores,omitempty"`
	Action  string             `json:"action,omitempty"`
	Score   *float64           `json:"score,omitempty"`
	Reasons []string           `json:"reasons,omitempty"`
	Edits   []edit             `json:"edits,omitempty"`
	Reward  *float64           `json:"reward,omitempty"`
	Parts   map[string]float64 `json:"parts,omitempty"`
	Detail  string             `json:"detail,omitempty"`
}

// Try asks the plugin all records and writes one answer a line.
func Try(ctx context.Context, p *plugin.Plugin, r standin.Records, places []string, w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	all, err := tried(ctx, p, r)
	if err != nil {
		return err
	}
	for i := range all {
		all[i].Place = places[i]
		if err := out.Encode(all[i]); err != nil {
			return fmt.Errorf("write the answer to %s: %w", places[i], err)
		}
	}
	return nil
}

// tried asks the records that there are; they are of one kind.
func tried(ctx context.Context, p *plugin.Plugin, r standin.Records) (all []answer, err error) {
	switch {
	case len(r.Documents) > 0:
		ratings, err := p.Score(ctx, r.Documents)
		for i, a := range ratings {
			all = append(all, answer{
				ID: r.Documents[i].ID, Status: statuses[a.Status], Scores: finite(a.Scores), Detail: a.Detail,
			})
		}
		return all, err
	case len(r.Dialogues) > 0:
		verdicts, err := p.FilterAll(ctx, r.Dialogues)
		for i, v := range verdicts {
			all = append(all, answerOfVerdict(r.Dialogues[i].ID, v))
		}
		return all, err
	}
	judgements, err := p.Reward(ctx, r.Samples)
	for i, a := range judgements {
		j := answer{ID: r.Samples[i].ID, Status: statuses[a.Status], Detail: a.Detail}
		if a.Status == sdk.OK {
			j.Reward, j.Parts = &judgements[i].Reward, finite(a.Parts)
		}
		all = append(all, j)
	}
	return all, err
}

func answerOfVerdict(id string, v sdk.Verdict) answer {
	a := answer{ID: id, Status: statuses[v.Status], Detail: v.Detail, Reasons: v.Reasons}
	if v.Status != sdk.OK {
		return a
	}
	a.Action = actions[v.Action]
	if !math.IsNaN(v.Score) {
		a.Score = &v.Score
	}
	for _, e := range v.Edits {
		a.Edits = append(a.Edits, edit{Turn: e.Turn, Op: editOps[e.Op], Text: e.Text})
	}
	return a
}

// finite leaves out what JSON has no number for.
func finite(scores map[string]float64) map[string]float64 {
	kept := map[string]float64{}
	for name, v := range scores {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			kept[name] = v
		}
	}
	return kept
}
