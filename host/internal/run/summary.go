package run

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/train"
)

// A Summary is what a finished stage tells the report. Its file, stage.json, is written last: where it stands, the stage is done.
type Summary struct {
	Stage       string             `json:"stage"`
	Kind        string             `json:"kind"`
	Key         string             `json:"key"` // digest of the stage's inputs
	Unit        string             `json:"unit"`
	In          int64              `json:"in"`
	Out         int64              `json:"out"`
	Dropped     int64              `json:"dropped"`
	Quarantined int64              `json:"quarantined"`
	Reasons     map[string]int64   `json:"reasons,omitempty"` // dropped, by step and reason
	Seconds     float64            `json:"seconds"`           // in the run that finished it
	Train       *train.Result      `json:"train,omitempty"`
	Data        *data.PlanReport   `json:"data,omitempty"` // of a train stage
	Evaluation  *Evaluation        `json:"evaluation,omitempty"`
	Pairs       *PairsFigure       `json:"pairs,omitempty"`
	Export      *Exported          `json:"export,omitempty"`
	Swaps       []Swap             `json:"swaps,omitempty"` // rewards that took over on the way
	Figures     map[string]float64 `json:"figures,omitempty"`

	Cached bool `json:"-"` // done by an earlier run
}

const summaryFile = "stage.json"

// readSummary returns nil when the stage is not done.
func readSummary(dir string) (*Summary, error) {
	var s Summary
	err := checkpoint.ReadJSON(filepath.Join(dir, summaryFile), &s)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return &s, err
}

func (s *Summary) write(dir string) error {
	return checkpoint.WriteJSON(filepath.Join(dir, summaryFile), s)
}
