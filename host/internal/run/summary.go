package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/durable"
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
	Export      *Exported          `json:"export,omitempty"`
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

// claimFile names the inputs that an unfinished stage directory belongs to.
const claimFile = "inputs.json"

// claim makes dir the place of a stage with this key: what other inputs left goes, what the same inputs left stays to be
// gone on from, but for what a killed process did not finish.
func claim(dir, key string) error {
	if claimed(dir) == key {
		return removeUnfinished(dir)
	}
	if err := empty(dir); err != nil {
		return fmt.Errorf("clear stage directory: %w", err)
	}
	return checkpoint.WriteJSON(filepath.Join(dir, claimFile), inputs{key})
}

// empty makes dir an empty directory. An old one loses its name first: a process that is killed meanwhile leaves no half
// of a done stage.
func empty(dir string) error {
	aside := dir + durable.Suffix
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if err := os.Rename(dir, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return errors.Join(os.RemoveAll(aside), os.MkdirAll(dir, 0o755))
}

func removeUnfinished(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), durable.Suffix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// inputs is what claimFile holds.
type inputs struct {
	Key string `json:"key"`
}

// claimed is the key that a stage directory belongs to; empty when it belongs to none.
func claimed(dir string) string {
	var in inputs
	if err := checkpoint.ReadJSON(filepath.Join(dir, claimFile), &in); err != nil {
		return ""
	}
	return in.Key
}
