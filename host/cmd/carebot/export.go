package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/run"
)

func newExport(a *app) *cobra.Command {
	var device, shard string
	cmd := &cobra.Command{
		Use:   "export MODEL OUT",
		Short: "Write a model for others, in Hugging Face layout",
		Long: `Write the model of a directory, such as a checkpoint of a train stage, to a new directory that other
tools load: config.json, safetensors, tokenizer and chat template, without the optimizer's state. What was written is loaded
again and compared before OUT gets its name.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.export(cmd.Context(), args[0], args[1], device, shard)
		},
	}
	cmd.Flags().StringVar(&device, "device", "auto", "auto, cpu, cuda or cuda:N")
	cmd.Flags().StringVar(&shard, "shard-size", "5GiB", "largest weight file")
	return cmd
}

// export runs an export stage in a folder beside out, which is gone afterwards, and takes the model out of it.
func (a *app) export(ctx context.Context, model, out, device, shard string) (err error) {
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s is there already", out), err)
	}
	beside, err := os.MkdirTemp(filepath.Dir(filepath.Clean(out)), ".carebot-export-")
	if err != nil {
		return fmt.Errorf("export to %s: %w", out, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(beside)) }()
	r, err := adhoc(entry{
		"name": "export", "output": beside, "device": device,
		"models": entry{"given": entry{"from": model}},
		"stages": entry{"release": entry{"kind": "export", "model": "given", "shard_size": shard}},
	})
	if err != nil {
		return err
	}
	if err := a.process(ctx, r, io.Discard, (*run.Process).Run); err != nil {
		return err
	}
	return os.Rename(filepath.Join(beside, "export", "release", "model"), out)
}
