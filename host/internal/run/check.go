package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
	"github.com/carebot-llm/carebot/sdk"
)

// checkRecords is how many records of a dataset are tried.
const checkRecords = 20

// Check tries everything that can be tried without training: files, the first records of each dataset, plugins' manifests,
// grants and configuration, model directories, and tokenizer and template on the first records. It reports all problems at once.
func (p *Process) Check(ctx context.Context) error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(p.recipe.Datasets)) {
		problems = append(problems, p.checkDataset(ctx, name))
	}
	for _, name := range slices.Sorted(maps.Keys(p.recipe.Plugins)) {
		problems = append(problems, p.checkPlugin(ctx, name))
	}
	for _, name := range slices.Sorted(maps.Keys(p.recipe.Models)) {
		problems = append(problems, p.checkModel(name))
	}
	problems = append(problems, p.checkExpressions())
	for _, name := range p.recipe.Order() {
		problems = append(problems, p.checkTemplate(name), p.checkJudge(ctx, name))
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	fmt.Fprintf(p.options.Out, "%s: %d datasets, %d models, %d plugins, %d stages, no problem found\n", p.recipe.File,
		len(p.recipe.Datasets), len(p.recipe.Models), len(p.recipe.Plugins), len(p.recipe.Stages))
	return nil
}

// checkDataset reads the first records; every malformed one is a problem.
func (p *Process) checkDataset(ctx context.Context, name string) error {
	records, bad, err := data.Peek(ctx, name, p.recipe.Datasets[name], p.dataRoot(), p.options.Samples, checkRecords)
	if err != nil {
		return fmt.Errorf("dataset %s: %w", name, err)
	}
	p.read[name] = &readDataset{records: records}
	problems := make([]error, len(bad))
	for i, b := range bad {
		problems[i] = fmt.Errorf("dataset %s: %s", name, b)
	}
	return errors.Join(problems...)
}

func (p *Process) checkPlugin(ctx context.Context, name string) error {
	if err := plugin.Check(ctx, p.recipe.Plugins[name], p.recipeDir()); err != nil {
		return fmt.Errorf("plugin %s: %s", name, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

// checkJudge reports a plugin that cannot judge a pairs stage; one that cannot be read is reported by itself.
func (p *Process) checkJudge(ctx context.Context, name string) error {
	spec := p.recipe.Stages[name].Pairs
	if spec == nil {
		return nil
	}
	info, err := plugin.Inspect(ctx, p.recipe.Plugins[spec.Reward], p.recipeDir())
	if err != nil {
		return nil
	}
	if err := judgesInBatches(info.Manifest); err != nil {
		return fmt.Errorf("stage %s: reward %s: %w", name, spec.Reward, err)
	}
	return nil
}

func (p *Process) checkModel(name string) error {
	spec := p.recipe.Models[name]
	if spec.From == "" {
		return nil
	}
	if _, err := p.namedConfig(spec.From); err != nil {
		return fmt.Errorf("model %s: %w", name, err)
	}
	return nil
}

// checkExpressions parses the keep expressions and selections of all stages.
func (p *Process) checkExpressions() error {
	var problems []error
	for _, name := range p.recipe.Order() {
		st := p.recipe.Stages[name]
		switch {
		case st.Curate != nil:
			problems = append(problems, checkKeeps(name, st.Curate))
		case st.Train != nil:
			problems = append(problems, checkSelections(name, st))
		}
	}
	return errors.Join(problems...)
}

func checkKeeps(name string, spec *recipe.Curate) error {
	var problems []error
	for _, step := range spec.Steps {
		if step.Keep == "" {
			continue
		}
		if _, err := data.ParseExpr(step.Keep); err != nil {
			problems = append(problems, fmt.Errorf("%s: stages.%s: keep: %w", step.Pos, name, err))
		}
	}
	return errors.Join(problems...)
}

func checkSelections(name string, st recipe.Stage) error {
	var problems []error
	for _, ref := range slices.Sorted(maps.Keys(st.Train.Data.Mix)) {
		if _, _, err := data.ParseSelection(ref); err != nil {
			problems = append(problems, fmt.Errorf("%s: stages.%s: data: %w", st.Pos, name, err))
		}
	}
	return errors.Join(problems...)
}

// checkTemplate renders the first records of a train stage with a tokenizer that is there already.
func (p *Process) checkTemplate(name string) error {
	st := p.recipe.Stages[name].Train
	ref := p.recipe.Needs(name).Tokenizer
	if st == nil || p.recipe.Stages[ref].Tokenizer != nil || ref == "" {
		return nil
	}
	tok, err := p.openTokenizer(ref)
	if err != nil {
		return fmt.Errorf("stage %s: %w", name, err)
	}
	return p.renderFirst(name, st, tok)
}

func (p *Process) renderFirst(name string, st *recipe.Train, tok *tokenizer.Tokenizer) error {
	for _, ref := range slices.Sorted(maps.Keys(st.Data.Mix)) {
		source, _, err := data.ParseSelection(ref)
		if err != nil || p.read[source] == nil {
			continue // a curate stage, or a problem that is reported already
		}
		for _, r := range p.read[source].records {
			if err := rendered(r, st, tok); err != nil {
				return fmt.Errorf("stage %s: %s:%d: %w", name, r.File, r.Line, err)
			}
		}
	}
	return nil
}

// rendered tries the chat template on a record, as the stage would learn it.
func rendered(r *data.Record, st *recipe.Train, tok *tokenizer.Tokenizer) (err error) {
	switch {
	case r.Kind() == data.KindPair:
		answer := sdk.Turn{Role: sdk.RoleAssistant, Text: r.Chosen}
		_, _, err = tok.Learned(append(slices.Clone(r.Prompt), answer), false)
	case st.Answers():
		_, _, err = r.Learned(tok, st.Learn == "last")
	default:
		_, err = r.Chat(tok)
	}
	return err
}
