package run

import (
	"fmt"
	"path/filepath"

	"github.com/carebot-llm/carebot/host/internal/data"
)

// An outcome is what became of the records of a stage. Each of them is in one of its lists.
type outcome struct {
	in          int
	kept        []*data.Record
	dropped     []drop
	quarantined []drop
}

// A drop is a record that a step took out, a line of dropped.jsonl or quarantine.jsonl.
type drop struct {
	ID     string             `json:"id"`
	File   string             `json:"file,omitempty"`
	Line   int                `json:"line,omitempty"`
	Source string             `json:"source"`
	Step   string             `json:"step"`
	Reason string             `json:"reason"`
	Detail string             `json:"detail,omitempty"`
	Scores map[string]float32 `json:"scores,omitempty"`

	faulty bool // a plugin failed on it: quarantined, not dropped
}

func (d drop) of(r *data.Record, step string) drop {
	d.ID, d.File, d.Line, d.Source, d.Step, d.Scores = r.ID, r.File, r.Line, r.Source, step, finite(r.Scores)
	return d
}

// out takes a record out.
func (o *outcome) out(d drop) {
	if d.faulty {
		o.quarantined = append(o.quarantined, d)
	} else {
		o.dropped = append(o.dropped, d)
	}
}

// reasons counts what was taken out, by step and reason.
func (o *outcome) reasons() map[string]int64 {
	counts := map[string]int64{}
	for _, d := range o.dropped {
		counts[d.Step+": "+d.Reason]++
	}
	for _, d := range o.quarantined {
		counts[d.Step+": fault"]++
	}
	return counts
}

// write writes the lists into a stage's directory and their lengths into its summary.
func (o *outcome) write(dir string, s *Summary) error {
	s.In, s.Out = int64(o.in), int64(len(o.kept))
	s.Dropped, s.Quarantined, s.Reasons = int64(len(o.dropped)), int64(len(o.quarantined)), o.reasons()
	if s.In != s.Out+s.Dropped+s.Quarantined {
		panic(fmt.Sprintf("%s: %d records in, %d out, %d dropped, %d quarantined",
			s.Stage, s.In, s.Out, s.Dropped, s.Quarantined))
	}
	if err := writeItems(filepath.Join(dir, "dropped.jsonl"), o.dropped); err != nil {
		return err
	}
	if err := writeItems(filepath.Join(dir, "quarantine.jsonl"), o.quarantined); err != nil {
		return err
	}
	return data.WriteDataset(filepath.Join(dir, "dataset"), o.kept)
}
