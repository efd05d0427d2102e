// Package run turns a recipe into its run directory: a graph of stages, each done once for the same inputs, each able to go on
// where it was stopped.
//
// Reading order: Process (a recipe on its way), stageKey and inputs (what makes a stage the same), then a file for each
// kind of stage; court (who judges), Swap and control (how another takes over while a stage runs); Replay.
package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// Options are what a Process needs of its surroundings.
type Options struct {
	Out      io.Writer // tables
	Log      *slog.Logger
	Samples  fs.FS  // what sample:// names
	CacheDir string // compiled plugins
	Version  string // of the program, for the lock file
	Progress bool   // draw progress bars; else log lines
}

// A Process is a recipe on its way. It is used by one goroutine.
type Process struct {
	recipe  *recipe.Recipe
	options Options
	log     *slog.Logger
	dir     string

	leavesNothing bool // in the run directory

	device     accelerators.Device
	deviceLock sync.Mutex
	read       map[string]*readDataset // by dataset name
	curated    map[string][]*data.Record
	keys       map[string]string // by stage name
	digests    map[string]string // of datasets, models and plugins, by "kind name"
	ledger     map[string]inputs // of the stages with swaps, by name; nil until it was read
	control    *control          // of a run; nil otherwise
}

// New prepares the run of a recipe; it touches nothing.
func New(r *recipe.Recipe, o Options) *Process {
	return &Process{
		recipe: r, options: o, log: o.Log, dir: filepath.Join(r.Output, r.Name),
		read: map[string]*readDataset{}, curated: map[string][]*data.Record{},
		keys: map[string]string{}, digests: map[string]string{},
	}
}

// Dir is the run directory.
func (p *Process) Dir() string { return p.dir }

// Close gives the device back.
func (p *Process) Close() error {
	if p.device == nil {
		return nil
	}
	return p.device.Close()
}

// Run does all stages that are not done, in the order of their references, writes the report and prints the tables.
func (p *Process) Run(ctx context.Context) (err error) {
	if err := p.checkExpressions(); err != nil {
		return err
	}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return fmt.Errorf("run directory: %w", err)
	}
	unlock, err := lock(p.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := p.resolve(ctx); err != nil {
		return err
	}
	if err := p.writeLockFile(false); err != nil {
		return err
	}
	p.control = p.listen(ctx)
	defer p.control.close()
	all, err := p.stages(ctx)
	if err != nil {
		return err
	}
	if err := p.report(all); err != nil {
		return err
	}
	return p.writeLockFile(true)
}

// stages does one stage after the other.
func (p *Process) stages(ctx context.Context) ([]*Summary, error) {
	var all []*Summary
	for _, name := range p.recipe.Order() {
		s, err := p.stage(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("stage %s: %w", name, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// stage does one stage unless it is done.
func (p *Process) stage(ctx context.Context, name string) (*Summary, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	dir := p.stageDir(name)
	done, err := readSummary(dir)
	if err != nil {
		return nil, err
	}
	if done != nil && done.Key == p.keys[name] {
		done.Cached = true
		p.log.Info("stage is done already", "stage", name)
		return done, nil
	}
	if err := p.claim(ctx, name, done); err != nil {
		return nil, err
	}
	return p.perform(ctx, name, dir)
}

// claim takes a stage's directory for its inputs; done is what another stage left there, or nil.
func (p *Process) claim(ctx context.Context, name string, done *Summary) error {
	in, err := p.inputs(ctx, name)
	if err != nil {
		return err
	}
	if done != nil && len(done.Swaps) > 0 {
		p.log.Warn("a reward was swapped in this stage; it is done again with that of the recipe", "stage", name)
	}
	p.ledger[name] = in
	return claim(p.stageDir(name), in)
}

// perform runs the stage's kind and publishes its summary, which makes the stage done. A swap on the way changes the
// key.
func (p *Process) perform(ctx context.Context, name, dir string) (*Summary, error) {
	s := &Summary{Stage: name, Kind: p.recipe.Stages[name].Kind, Key: p.keys[name]}
	p.log.Info("stage begins", "stage", name, "kind", s.Kind)
	begin := time.Now()
	if err := p.kind(ctx, name, dir, s); err != nil {
		return nil, err
	}
	s.Seconds, s.Key, s.Swaps = time.Since(begin).Seconds(), p.keys[name], p.ledger[name].Swaps
	if err := s.write(dir); err != nil {
		return nil, err
	}
	p.log.Info("stage done", "stage", name, "seconds", fmt.Sprintf("%.1f", s.Seconds))
	return s, nil
}

func (p *Process) kind(ctx context.Context, name, dir string, s *Summary) error {
	switch st := p.recipe.Stages[name]; {
	case st.Tokenizer != nil:
		return p.tokenizer(ctx, st.Tokenizer, dir, s)
	case st.Curate != nil:
		return p.curate(ctx, name, dir, s)
	case st.Train != nil:
		return p.train(ctx, name, dir, s)
	case st.Pairs != nil:
		return p.pairs(ctx, name, dir, s)
	case st.Evaluate != nil:
		return p.evaluate(ctx, name, dir, s)
	case st.Export != nil:
		return p.export(ctx, st.Export, dir, s)
	}
	return fmt.Errorf("kind %q cannot run", p.recipe.Stages[name].Kind)
}

func (p *Process) stageDir(name string) string { return filepath.Join(p.dir, name) }

// openDevice opens the recipe's device once.
func (p *Process) openDevice() (accelerators.Device, error) {
	if p.device != nil {
		return p.device, nil
	}
	dev, why, err := accelerators.Open(p.recipe.Device)
	if err != nil {
		return nil, err
	}
	p.device = dev
	p.log.Info("device", "name", dev.Name(), "is", dev.Describe(), "passed_over", why)
	return dev, nil
}
