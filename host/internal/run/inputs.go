package run

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/durable"
)

// readDataset is a dataset that was read.
type readDataset struct {
	records []*data.Record
	counts  data.Counts
}

// records returns the records of a dataset or of a finished curate or pairs stage. They are read once and must not be
// changed.
func (p *Process) records(ctx context.Context, ref string) ([]*data.Record, error) {
	if st := p.recipe.Stages[ref]; st.Curate != nil || st.Pairs != nil {
		return p.curatedRecords(ref)
	}
	d, err := p.dataset(ctx, ref)
	if err != nil {
		return nil, err
	}
	return d.records, nil
}

func (p *Process) curatedRecords(ref string) ([]*data.Record, error) {
	if records, ok := p.curated[ref]; ok {
		return records, nil
	}
	records, err := data.OpenDataset(filepath.Join(p.stageDir(ref), "dataset"))
	if err != nil {
		return nil, fmt.Errorf("dataset of stage %s: %w", ref, err)
	}
	p.curated[ref] = records
	return records, nil
}

// dataset reads a dataset of the recipe; its malformed records go to <run directory>/_quarantine/<name>.jsonl (no stage can have that
// name), unless the process leaves nothing.
func (p *Process) dataset(ctx context.Context, name string) (*readDataset, error) {
	if d, ok := p.read[name]; ok {
		return d, nil
	}
	spec, ok := p.recipe.Datasets[name]
	if !ok {
		return nil, fmt.Errorf("%q is neither a dataset nor a curate or pairs stage", name)
	}
	d := &readDataset{}
	err := p.quarantine(name, func(w io.Writer) (err error) {
		d.records, d.counts, err = data.Read(ctx, name, spec, p.dataRoot(), p.options.Samples, data.NewQuarantine(w))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	if d.counts.Bad > 0 {
		p.log.Warn("malformed records were quarantined", "dataset", name, "records", d.counts.Bad, "good", len(d.records))
	}
	p.read[name] = d
	return d, nil
}

// quarantine gives read the file for the malformed records of a dataset, or nil.
func (p *Process) quarantine(name string, read func(w io.Writer) error) error {
	if p.leavesNothing {
		return read(nil)
	}
	bad := filepath.Join(p.dir, "_quarantine", name+".jsonl")
	if err := os.MkdirAll(filepath.Dir(bad), 0o755); err != nil {
		return err
	}
	return durable.Write(bad, read)
}

// dataRoot is the folder that relative dataset files start from.
func (p *Process) dataRoot() string {
	if p.recipe.DataRoot == "" {
		return filepath.Dir(p.recipe.File)
	}
	return p.recipe.DataRoot
}
