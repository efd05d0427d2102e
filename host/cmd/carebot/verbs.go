package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/run"
	"github.com/carebot-llm/carebot/recipes/samples"
)

// An act is what a verb does with the process of a recipe.
type act func(p *run.Process, ctx context.Context) error

// recipeVerb is a verb that takes a recipe file and overrides.
func recipeVerb(a *app, name, short, long string, do act) *cobra.Command {
	return &cobra.Command{
		Use:   name + " RECIPE [key.path=value ...]",
		Short: short,
		Long: long + `

Overrides after the file change single keys: stages.stable.learning_rate=1e-4. Values are YAML; null removes a key.
Relative paths in the file start from its folder, those on the command line from the working directory.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := recipe.Load(args[0], args[1:])
			if err != nil {
				return usageError{err}
			}
			return a.process(cmd.Context(), r, a.out, do)
		},
	}
}

// process hands the process of a recipe to an act; tables go to out.
func (a *app) process(ctx context.Context, r *recipe.Recipe, out io.Writer, do act) error {
	p := run.New(r, a.options(out))
	return errors.Join(do(p, ctx), p.Close())
}

func (a *app) options(out io.Writer) run.Options {
	return run.Options{
		Out:      out,
		Log:      a.log,
		Samples:  samples.FS,
		CacheDir: durable.CacheDir(),
		Version:  versionText(),
		Progress: a.format == "text" && onTerminal(a.err),
	}
}

// onTerminal reports whether w is a terminal.
func onTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
