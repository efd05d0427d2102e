package run

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/train"
)

// train runs a train stage.
func (p *Process) train(ctx context.Context, name, dir string, s *Summary) error {
	spec := *p.recipe.Stages[name].Train
	m, plan, err := p.begin(ctx, name, spec)
	if err != nil {
		return err
	}
	defer m.close()
	s.Data = plan.Report()
	progress, finish := p.progress(name, plan.Steps())
	result, err := train.Run(ctx, train.Job{
		Name: name, Spec: spec, Device: p.device, Model: m.model, Plan: plan, Dir: dir, Seed: p.recipe.Seed, Key: s.Key,
		Describe: m.describe, Progress: progress, Log: p.log,
	})
	finish()
	if err != nil {
		return err
	}
	if err := checkpoint.Prune(dir, spec.SaveLimit); err != nil { // a process that was killed after its last save has not
		return err
	}
	s.Train, s.Unit = &result, "tokens"
	s.In, s.Out, s.Dropped = s.Data.In, s.Data.Trained, s.Data.Cut+s.Data.Dropped
	return nil
}

// begin loads the start weights of a train stage and lays out its data. The caller closes the model.
func (p *Process) begin(ctx context.Context, name string, spec recipe.Train) (*served, *data.Plan, error) {
	m, err := p.start(spec)
	if err != nil {
		return nil, nil, err
	}
	if train.BaseInNF4(spec) {
		p.log.Info("matrices of the blocks are in nf4", "stage", name, "frozen weights", mebibytes(m.model.FrozenBytes()),
			"in f32", mebibytes(4*m.model.Config().Parameters()))
	}
	plan, err := p.planData(ctx, spec, m)
	if err != nil {
		m.close()
		return nil, nil, err
	}
	if spec.BF16 && emulatesBF16(p.device) {
		p.log.Warn("no bf16 instructions in these kernels: products are rounded, which is slower than f32", "stage", name)
	}
	return m, plan, nil
}

// emulatesBF16 reports whether bf16 costs time instead of saving it: on a processor whose kernel set is not one with
// instructions for it.
func emulatesBF16(dev accelerators.Device) bool {
	kernels := dev.Describe()
	return dev.Name() == "cpu" && !strings.Contains(kernels, "bf16") && !strings.Contains(kernels, "amx")
}

// planData lays out the data of a train stage.
func (p *Process) planData(ctx context.Context, spec recipe.Train, m *served) (*data.Plan, error) {
	sources := map[string][]*data.Record{}
	for _, ref := range slices.Sorted(maps.Keys(spec.Data.Mix)) {
		name, _, err := data.ParseSelection(ref)
		if err != nil {
			return nil, err
		}
		if sources[name], err = p.records(ctx, name); err != nil {
			return nil, err
		}
	}
	return data.NewPlan(ctx, sources, m.tok, data.PlanOptions{Train: spec, Seed: p.recipe.Seed, Context: m.model.Config().Context()})
}

// progress reports steps on a terminal, or to the log; finish ends the report.
func (p *Process) progress(name string, steps int) (train.Progress, func()) {
	if !p.options.Progress {
		return lines{p.log, name}, func() {}
	}
	b := newBar(os.Stderr, name, steps)
	return b, b.close
}
