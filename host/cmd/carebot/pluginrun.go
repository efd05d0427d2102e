package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/author"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/recipes/samples"
)

func newAsk(a *app) *cobra.Command {
	var s subject
	source := author.Source{Samples: samples.FS}
	cmd := &cobra.Command{
		Use:   "run USE FILE",
		Short: "Ask a plugin the records of a file",
		Long: `Ask a plugin the records of a file and print an answer a line as JSON. A scorer reads texts, a filter dialogues
(messages), a reward model preference pairs, of which it judges both answers; --format names another format of the key
format of a recipe's datasets. Without its models, which --model names, a plugin that asks for some does not open.

` + usesFolder,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			source.File = args[1]
			return a.ask(cmd.Context(), args[0], source, s)
		},
	}
	s.flags(cmd.Flags())
	s.modelFlags(cmd.Flags())
	cmd.Flags().StringVar(&source.Format, "format", "", "format of the file's records")
	return cmd
}

func (a *app) ask(ctx context.Context, use string, source author.Source, s subject) (err error) {
	o, err := a.prepare(ctx, use, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	records, places, err := source.Read(ctx, o.info.Manifest)
	if err != nil {
		return err
	}
	o.Plugin.Limits.Faults = len(places) // faults are answers here
	p, err := plugin.Open(ctx, o.Spec)
	if err != nil {
		return err
	}
	return errors.Join(author.Try(ctx, p, records, places, a.out), p.Close())
}
