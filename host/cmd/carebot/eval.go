package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/run"
)

// measured are the flags of eval that name files, with the format that is taken when the flag does not say.
var measured = []struct{ flag, key, format, usage string }{
	{"perplexity", "perplexity", "text", "held-out texts"},
	{"benchmark", "benchmarks", "choice", "multiple-choice questions"},
	{"preference", "preferences", "preference", "preference pairs"},
	{"rating", "ratings", "rated", "rated texts, for a rater model"},
}

// An evalSpec is the command line of eval.
type evalSpec struct {
	name, device, scoring, prompt, shotsFrom string

	shots int
	files map[string]*[]string // by flag
}

func newEval(a *app) *cobra.Command {
	spec := evalSpec{files: map[string]*[]string{}}
	cmd := &cobra.Command{
		Use:   "eval MODEL",
		Short: "Measure a model on files",
		Long: `Measure the model of a directory: a checkpoint of a train stage, an exported model, or one in Hugging
Face layout. Files are paths or globs; FORMAT:PATH says how to read them (messages:talks.jsonl). Where fields have other
names, write a recipe with a stage of kind evaluate.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.eval(cmd.Context(), args[0], spec) },
	}
	f := cmd.Flags()
	for _, m := range measured {
		spec.files[m.flag] = f.StringArray(m.flag, nil, m.usage+" ("+m.format+"); may be repeated")
	}
	f.StringVar(&spec.name, "name", "eval", "name of the folder below runs that gets report and single answers")
	f.StringVar(&spec.device, "device", "auto", "auto, cpu, cuda or cuda:N")
	f.StringVar(&spec.scoring, "scoring", "text", "benchmarks: compare letter or text")
	f.StringVar(&spec.prompt, "prompt", "auto", "benchmarks: auto, text or chat")
	f.IntVar(&spec.shots, "shots", 0, "benchmarks: solved examples before each question")
	f.StringVar(&spec.shotsFrom, "shots-from", "", "benchmarks: file that the examples come from")
	return cmd
}

func (a *app) eval(ctx context.Context, model string, spec evalSpec) error {
	r, err := adhoc(spec.recipe(model))
	if err != nil {
		return err
	}
	return a.process(ctx, r, a.out, (*run.Process).Run)
}

// recipe is an evaluate stage with a dataset for each file. Model and datasets are named after their paths.
func (s evalSpec) recipe(model string) entry {
	taken := map[string]bool{"measure": true}
	given := nameOf(model, taken)
	datasets, stage := entry{}, entry{"kind": "evaluate", "models": []string{given}}
	add := func(file, format string) string {
		file, format = formatOf(file, format)
		name := nameOf(file, taken)
		datasets[name] = entry{"files": []string{file}, "format": format}
		return name
	}
	for _, m := range measured {
		var names []string
		for _, file := range *s.files[m.flag] {
			names = append(names, add(file, m.format))
		}
		if names != nil {
			stage[m.key] = names
		}
	}
	if stage["benchmarks"] != nil {
		stage["scoring"], stage["prompt"], stage["shots"] = s.scoring, s.prompt, s.shots
	}
	if s.shotsFrom != "" {
		stage["shots_from"] = add(s.shotsFrom, "choice")
	}
	return entry{
		"name": s.name, "device": s.device, "data_root": ".", "datasets": datasets,
		"models": entry{given: entry{"from": model}},
		"stages": entry{"measure": stage},
	}
}

// formatOf splits FORMAT:PATH; a path alone has the format that is expected. The scheme of sample:// is no format.
func formatOf(file, expected string) (path, format string) {
	if given, path, found := strings.Cut(file, ":"); found && !strings.HasPrefix(path, "//") {
		return path, given
	}
	return file, expected
}

// noName is what a name in a recipe cannot have.
var noName = regexp.MustCompile(`[^a-z0-9]+`)

// nameOf makes a name that is not taken of the last part of a path, without its extensions.
func nameOf(path string, taken map[string]bool) string {
	base, _, _ := strings.Cut(filepath.Base(path), ".")
	name := cmp.Or(strings.Trim(noName.ReplaceAllString(strings.ToLower(base), "-"), "-"), "files")
	for unique, n := name, 2; ; unique, n = fmt.Sprintf("%s-%d", name, n), n+1 {
		if !taken[unique] {
			taken[unique] = true
			return unique
		}
	}
}
