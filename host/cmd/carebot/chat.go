package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/run"
)

func newChat(a *app) *cobra.Command {
	o := run.ChatOptions{}
	cmd := &cobra.Command{
		Use:   "chat MODEL",
		Short: "Talk with a model in the terminal",
		Long: `Talk with the model of a directory: a checkpoint of a train stage, an exported model, or one in Hugging
Face layout. A line is a turn, an empty line begins a new conversation, end of file (Ctrl-D) ends the talk.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run.Chat(cmd.Context(), args[0], o, untilDone(cmd.Context(), a.in), a.out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Device, "device", "auto", "auto, cpu, cuda or cuda:N")
	f.BoolVar(&o.BF16, "bf16", false, "answer in bfloat16 on a GPU; on the processor answers stay float32")
	f.StringVar(&o.System, "system", "", "system prompt")
	f.IntVar(&o.MaxTokens, "max-tokens", 256, "longest answer in tokens")
	f.Float32Var(&o.Generation.Temperature, "temperature", 0.7, "0 always takes the likeliest token")
	f.Float32Var(&o.Generation.TopP, "top-p", 0.95, "sample among the likeliest tokens of this mass; 0 is all")
	f.IntVar(&o.Generation.TopK, "top-k", 0, "sample among so many tokens; 0 is all")
	f.Uint64Var(&o.Generation.Seed, "seed", 0, "seed of the sampling")
	return cmd
}

// untilDone reads from in until the context ends, also while in keeps it waiting; then its cause is the error. What was typed
// but not read is lost with the process, which is about to end.
func untilDone(ctx context.Context, in io.Reader) io.Reader {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.CloseWithError(context.Cause(ctx)) })
	go func() {
		_, err := io.Copy(w, in)
		w.CloseWithError(err)
	}()
	return r
}
