package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

// The exit codes; a signal's is 128 and its number.
const (
	exitFailed = 1
	exitUsage  = 2 // of the command line, or of a recipe
)

// An app is what the verbs share. Log is set when a verb begins.
type app struct {
	in       io.Reader
	out, err io.Writer
	log      *slog.Logger
	level    string
	format   string
}

// execute runs one command line and returns its exit code. Errors go to stderr as plain lines.
func execute(args []string, in io.Reader, out, stderr io.Writer) int {
	ctx, stop := withSignals(context.Background())
	defer stop()
	a := &app{in: in, out: out, err: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	called, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, err)
	return a.exitCode(ctx, called, err)
}

func (a *app) exitCode(ctx context.Context, called *cobra.Command, err error) int {
	var s signalled
	var u usageError
	switch {
	case errors.As(context.Cause(ctx), &s):
		return s.exitCode()
	case errors.As(err, &u):
		return exitUsage
	case a.log == nil: // no verb began: the command line itself is wrong
		fmt.Fprintf(a.err, "see %s --help\n", called.CommandPath())
		return exitUsage
	}
	return exitFailed
}

// A usageError is the user's to mend: a recipe or a command line that is wrong.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:               "carebot",
		Short:             "Turn recipes into domain language models",
		Long:              "Turn recipes into domain language models, from rating the data to exporting the model.",
		SilenceUsage:      true,
		SilenceErrors:     true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.startLog() },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	f := root.PersistentFlags()
	f.StringVar(&a.level, "log-level", "info", "least level that is logged: debug, info, warn, error")
	f.StringVar(&a.format, "log-format", "text", "form of the log on stderr: text, json")
	root.AddCommand(newRun(a), newCheck(a), newPlan(a), newFetch(a), newImport(a), newData(a), newProfile(a), newSchema(a),
		newEval(a), newExport(a), newChat(a), newServe(a), newPlugin(a), newReward(a), newVersion(a), newEnv(a))
	return root
}

// startLog opens the log on stderr.
func (a *app) startLog() error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.level)); err != nil {
		return fmt.Errorf("--log-level %s: want debug, info, warn or error", a.level)
	}
	options := &slog.HandlerOptions{Level: level}
	switch a.format {
	case "text":
		a.log = slog.New(slog.NewTextHandler(a.err, options))
	case "json":
		a.log = slog.New(slog.NewJSONHandler(a.err, options))
	default:
		return fmt.Errorf("--log-format %s: want text or json", a.format)
	}
	slog.SetDefault(a.log)
	return nil
}
