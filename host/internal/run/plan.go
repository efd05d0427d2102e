package run

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/train"
)

// Plan prints what Run would do and touches nothing. What is missing is a warning, since a plan is made before the files are there.
func (p *Process) Plan(ctx context.Context) error {
	missing := p.missing(ctx)
	stages := table{title: "Stages of " + p.recipe.Name, left: 5,
		header: []string{"stage", "kind", "after", "state", "products", "tokens", "steps", "parameters", "memory", "of it moments"}}
	for _, name := range p.recipe.Order() {
		stages.rows = append(stages.rows, p.planStage(ctx, name))
	}
	missing = append(missing, p.planRoom()...)
	if err := stages.print(p.options.Out); err != nil {
		return err
	}
	if err := p.pluginTable(ctx).print(p.options.Out); err != nil {
		return err
	}
	fmt.Fprintf(p.options.Out, "\nrun directory   %s\n", relative(p.dir))
	for _, m := range missing {
		fmt.Fprintf(p.options.Out, "warning: %s\n", m)
	}
	return nil
}

// missing lists what the recipe names and is not there or not usable.
func (p *Process) missing(ctx context.Context) []string {
	var all []string
	note := func(kind, name string, err error) {
		if err != nil {
			all = append(all, fmt.Sprintf("%s %s: %v", kind, name, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.recipe.Datasets)) {
		one := p.recipe.Datasets[name]
		if len(one.Files) == 0 {
			_, err := data.Files(one, p.dataRoot(), p.options.Samples)
			note("dataset", name, err)
		}
		for _, pattern := range p.recipe.Datasets[name].Files {
			one.Files = []string{pattern}
			_, err := data.Files(one, p.dataRoot(), p.options.Samples)
			note("dataset", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.recipe.Models)) {
		if from := p.recipe.Models[name].From; from != "" {
			note("model", name, p.has(from, configFile))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.recipe.Plugins)) {
		_, err := plugin.Inspect(ctx, p.recipe.Plugins[name], p.recipeDir())
		note("plugin", name, err)
	}
	for _, name := range p.recipe.Order() {
		if st := p.recipe.Stages[name].Train; st != nil && strings.Contains(st.Tokenizer, "/") {
			note("tokenizer of stage", name, p.has(st.Tokenizer, ""))
		}
	}
	return all
}

// has reports a file that a folder which the recipe names lacks.
func (p *Process) has(folder, file string) error {
	dir, err := p.folderOf(folder)
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, file))
	}
	return err
}

func (p *Process) planStage(ctx context.Context, name string) []string {
	st := p.recipe.Stages[name]
	after := strings.Join(p.recipe.Needs(name).Stages, " ")
	row := []string{name, st.Kind, after, p.planState(ctx, name), "", "", "", "", "", ""}
	if st.Pairs != nil {
		row[5] = p.planAnswers(ctx, st.Pairs)
	}
	if st.Train == nil {
		return row
	}
	cfg, known := p.planConfig(name)
	sequence := st.Train.SequenceLen
	if known {
		sequence = cmp.Or(sequence, cfg.Context())
		need := p.planMemory(cfg, *st.Train)
		row[7], row[8] = count(cfg.Parameters()), mebibytes(need.Total())
		row[9] = moments(need.Moments, need.FloatMoments)
	} else {
		row[7], row[8], row[9] = "?", "?", "?"
	}
	row[4] = products(*st.Train)
	row[5], row[6] = p.planLength(ctx, st.Train, sequence)
	return row
}

// planState says whether the stage would run.
func (p *Process) planState(ctx context.Context, name string) string {
	in, err := p.inputs(ctx, name)
	if err != nil {
		return "inputs missing"
	}
	key, err := in.digest()
	if err != nil {
		return "inputs missing"
	}
	for _, needed := range p.recipe.Needs(name).Stages {
		if p.keys[needed] == "" {
			return "inputs missing"
		}
	}
	p.keys[name] = key
	if s, err := readSummary(p.stageDir(name)); err == nil && s != nil && s.Key == key {
		return "done"
	}
	if !claimed(p.stageDir(name)).equal(in) {
		return "runs"
	}
	return p.planProgress(name)
}

// planProgress says where a stage that was interrupted goes on.
func (p *Process) planProgress(name string) string {
	if _, step, ok, err := checkpoint.Latest(p.stageDir(name)); err == nil && ok {
		return fmt.Sprintf("goes on from step %d", step)
	}
	done := 0
	for _, err := range judgedPrompts(filepath.Join(p.stageDir(name), samplesFile)) {
		if err != nil {
			return "runs"
		}
		done++
	}
	if done > 0 {
		return fmt.Sprintf("goes on from prompt %d", done)
	}
	return "runs"
}

// planConfig is the configuration of the model that a train stage trains, when it can be told now.
func (p *Process) planConfig(name string) (model.Config, bool) {
	st := p.recipe.Stages[name].Train
	ref := st.Init
	for p.recipe.Stages[ref].Train != nil {
		ref = p.recipe.Stages[ref].Train.Init
	}
	spec, ok := p.recipe.Models[ref]
	if !ok {
		return model.Config{}, false
	}
	if spec.From != "" {
		cfg, err := p.namedConfig(spec.From)
		cfg = p.withHead(cfg, name, train.HeadFor(st.Objective))
		return cfg, err == nil && cfg.Validate() == nil
	}
	vocab, ok := p.planVocab(p.recipe.Needs(name).Tokenizer)
	if !ok {
		return model.Config{}, false
	}
	cfg := p.withHead(model.ConfigFromRecipe(spec, vocab, planSpecials), name, train.HeadFor(st.Objective))
	return cfg, cfg.Validate() == nil
}

// planSpecials stand for the ids of the special tokens, which no figure of a plan depends on.
var planSpecials = model.Special{PAD: 0, BOS: 1, EOS: 2}

// planVocab is the size of a tokenizer's vocabulary: declared by its stage, or read.
func (p *Process) planVocab(ref string) (int, bool) {
	if st := p.recipe.Stages[ref]; st.Tokenizer != nil {
		return st.Tokenizer.Vocab, true
	}
	tok, err := p.openTokenizer(ref)
	if err != nil {
		return 0, false
	}
	return tok.Size(), true
}

func (p *Process) pluginTable(ctx context.Context) table {
	t := table{title: "Plugins", left: 5, header: []string{"plugin", "uses", "runs as", "asks", "sha256"}}
	for _, name := range slices.Sorted(maps.Keys(p.recipe.Plugins)) {
		spec := p.recipe.Plugins[name]
		row := []string{name, spec.Use, "?", strings.Join(bindings(spec), " "), "?"}
		if info, err := plugin.Inspect(ctx, spec, p.recipeDir()); err == nil {
			row[2], row[4] = info.Transport, info.Digest[:16]
		}
		t.rows = append(t.rows, row)
	}
	return t
}

func bindings(spec recipe.Plugin) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(spec.Models)) {
		all = append(all, name+"="+spec.Models[name])
	}
	return all
}

func mebibytes(n int64) string { return count(n>>20) + " MiB" }
