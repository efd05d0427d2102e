package main

import (
	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

func newSchema(a *app) *cobra.Command {
	var markdown bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of recipes",
		Long: `Print the JSON Schema (draft 2020-12) of recipes, for editors: with the YAML language server,
a first line of "# yaml-language-server: $schema=recipe.schema.json" in a recipe gives completion and checks.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text := recipe.Schema()
			if markdown {
				text = []byte(recipe.Reference())
			}
			_, err := a.out.Write(text)
			return err
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print a table of all keys instead")
	return cmd
}
