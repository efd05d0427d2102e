package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/run"
)

func newReward(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "reward", Short: "Swap the reward model of a run, or compare it with another"}
	cmd.AddCommand(newSwap(a), newReplay(a))
	return cmd
}

// overridesHelp is what swap and replay say of their arguments.
const overridesHelp = `RUN is a run directory, or the name of one below runs.
NAME is the plugin's name in the recipe. What follows changes keys of its entry: use=./my-reward.wasm, with.low=0.5,
models.reward=reward-model; null removes a key. Paths start from the working directory.`

func newSwap(a *app) *cobra.Command {
	shadow := 8
	cmd := &cobra.Command{
		Use:   "swap RUN NAME key=value ...",
		Short: "Swap a reward model while a run is judging with it",
		Long: `Swap a reward model while a run is judging with it, in a pairs stage or in a reward step of a curate
stage. The new one first judges beside the old for some batches, and how they agree is printed; then it takes over.
Interrupting this command before that leaves the run as it was. The swap is that of the stage: later stages, and the
next run, take what the recipe says.

` + overridesHelp,
		Args: cobra.MinimumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if shadow < 0 {
				return usageError{fmt.Errorf("--shadow %d: want a number of batches", shadow)}
			}
			return a.swap(cmd.Context(), args[0], args[1], args[2:], shadow)
		},
	}
	cmd.Flags().IntVar(&shadow, "shadow", shadow,
		"batches in which the new one judges beside the old first; 0 swaps at once")
	return cmd
}

func (a *app) swap(ctx context.Context, dir, name string, overrides []string, shadow int) error {
	p, entry, err := a.alternative(dir, name, overrides)
	if err != nil {
		return err
	}
	var unprinted error
	request := run.Request{Plugin: name, Entry: entry, Shadow: shadow}
	err = run.Ask(ctx, p.Dir(), request, func(r run.Reply) { unprinted = errors.Join(unprinted, a.told(r, shadow)) })
	return errors.Join(err, unprinted, p.Close())
}

// told prints a reply.
func (a *app) told(r run.Reply, shadow int) error {
	switch {
	case r.Swapped == nil && r.Batch == 0:
		fmt.Fprintf(a.out, "stage %s: the new reward judges beside the old for %d batches\n", r.Stage, shadow)
	case r.Swapped == nil:
		fmt.Fprintf(a.out, "batch %d/%d: %s\n", r.Batch, shadow, r.Agreement)
	default:
		if shadow := r.Swapped.Shadow; shadow != nil {
			if err := shadow.Print(a.out); err != nil {
				return err
			}
		}
		fmt.Fprintf(a.out, "stage %s: from record %d on it judges alone (sha256 %s)\n", r.Stage, r.Swapped.At,
			r.Swapped.Digest)
	}
	return nil
}

func newReplay(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replay RUN NAME key=value ...",
		Short: "Score the recorded answers of a run with another reward model",
		Long: `Score the answers that a run has recorded (of pairs stages, reward steps of curate stages, and evaluate
stages) with another reward model, and compare: correlation, turned pairs, differences. Nothing is generated, and no
model is loaded but those that the plugin asks.

` + overridesHelp,
		Args: cobra.MinimumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.replay(cmd.Context(), args[0], args[1], args[2:], asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON instead of tables")
	return cmd
}

func (a *app) replay(ctx context.Context, dir, name string, overrides []string, asJSON bool) error {
	p, entry, err := a.alternative(dir, name, overrides)
	if err != nil {
		return err
	}
	all, err := p.Replay(ctx, name, entry)
	switch {
	case err != nil:
	case asJSON:
		enc := json.NewEncoder(a.out)
		enc.SetIndent("", "  ")
		err = enc.Encode(all)
	default:
		err = all.Print(a.out)
	}
	return errors.Join(err, p.Close())
}

// alternative opens a run and makes the other entry of its plugin. What is wrong with the command line is a usageError.
func (a *app) alternative(dir, name string, overrides []string) (*run.Process, string, error) {
	p, err := run.Open(runDir(dir), a.options(a.out))
	if err != nil {
		return nil, "", err
	}
	entry, err := p.Alternative(name, overrides)
	if err != nil {
		return nil, "", usageError{err}
	}
	return p, entry, nil
}

// runDir is a run directory: a path, or a name below runs unless it is one.
func runDir(name string) string {
	below := filepath.Join("runs", name)
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) && !strings.ContainsRune(name, filepath.Separator) {
		if _, err := os.Stat(below); err == nil {
			return below
		}
	}
	return name
}
