package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/run"
)

func newData(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "Look at the data of a recipe",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newDataShow(a))
	return cmd
}

func newDataShow(a *app) *cobra.Command {
	o := run.ShowOptions{Colour: onTerminal(a.out) && os.Getenv("NO_COLOR") == ""}
	cmd := &cobra.Command{
		Use:   "show RECIPE STAGE [key.path=value ...]",
		Short: "Print records as a train stage learns them: tokens, roles and loss mask",
		Long: `Print the first records of each source of a train stage as it would learn them, after the chat template
and before they are cut to length and packed. A bar stands between tokens. Tokens that carry loss are green on a
terminal and within [ ] elsewhere, or where NO_COLOR is set. Nothing is trained and nothing left behind; what earlier
stages make must be there already.`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := recipe.Load(args[0], args[2:])
			if err != nil {
				return usageError{err}
			}
			if o.Stage = args[1]; o.Records < 1 {
				return usageError{fmt.Errorf("-n %d: want at least one record", o.Records)}
			}
			show := func(p *run.Process, ctx context.Context) error { return p.Show(ctx, o) }
			return a.process(cmd.Context(), r, a.out, show)
		},
	}
	cmd.Flags().IntVarP(&o.Records, "records", "n", 3, "records of each source")
	cmd.Flags().BoolVar(&o.IDs, "ids", false, "print the numbers of the tokens too")
	return cmd
}
