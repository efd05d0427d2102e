package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/adopt"
	"github.com/carebot-llm/carebot/host/internal/durable"
)

// maxImport bounds a training file of another program, in bytes.
const maxImport = 1 << 20

func newImport(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a recipe of a training file of LLaMA-Factory or axolotl",
		Long: `Make a recipe of a training file (YAML) of LLaMA-Factory or axolotl; its keys tell which. What has no counterpart
is listed on stderr, and in the first lines of the recipe, each with the reason. What would make the training another one
(an objective or a form of data that there is not) is an error.

Models and data sets on a hub become hf:// names, which carebot fetch downloads.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := readBounded(args[0], maxImport)
			if err != nil {
				return err
			}
			r, err := adopt.Adopt(args[0], text)
			if err != nil {
				return usageError{err}
			}
			for _, l := range r.Left {
				fmt.Fprintln(a.err, l)
			}
			if out == "" {
				_, err = a.out.Write(r.Text)
				return err
			}
			return durable.WriteFile(out, r.Text)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write (default: stdout)")
	return cmd
}
