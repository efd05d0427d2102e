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
	stage := entry{"kind": "export", "model": "given"}
	var device string
	flags := map[string]*string{}
	cmd := &cobra.Command{
		Use:   "export MODEL OUT",
		Short: "Write a model for others, in Hugging Face layout or for llama.cpp",
		Long: `Write the model of a directory, such as a checkpoint of a train stage, for other tools: to a new directory with
config.json, safetensors, tokenizer and chat template, without the optimizer's state, or to a GGUF file. The adapter of a
LoRA checkpoint is merged into its base model. What was written is loaded again and compared before OUT gets its name.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			for key, value := range flags {
				if *value != "" {
					stage[key] = *value
				}
			}
			return a.export(cmd.Context(), args[0], args[1], device, stage)
		},
	}
	cmd.Flags().StringVar(&device, "device", "auto", "auto, cpu, cuda or cuda:N")
	flags["shard_size"] = cmd.Flags().String("shard-size", "", "safetensors: largest weight file (default 5GiB)")
	flags["format"] = cmd.Flags().String("format", "", "safetensors (default) or gguf")
	flags["outtype"] = cmd.Flags().String("outtype", "", "f32 (default), f16 or bf16, or in gguf q8_0 or q4_k")
	return cmd
}

// export runs an export stage in a folder beside out, which is gone afterwards, and takes the model out of it.
func (a *app) export(ctx context.Context, model, out, device string, stage entry) (err error) {
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
		"stages": entry{"release": stage},
	})
	if err != nil {
		return err
	}
	if err := a.process(ctx, r, io.Discard, (*run.Process).Run); err != nil {
		return err
	}
	name := "model"
	if stage["format"] == "gguf" {
		name = "model.gguf"
	}
	return os.Rename(filepath.Join(beside, "export", "release", name), out)
}
