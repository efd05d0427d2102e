package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

func newInspect(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect USE",
		Short: "Print a plugin's transport, digest and manifest",
		Long: `Print what the key use of a recipe would find: a built-in plugin by its name, a .wasm module or an
executable by its path.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := plugin.Inspect(cmd.Context(), recipe.Plugin{Use: args[0]}, ".")
			if err != nil {
				return err
			}
			manifest, err := json.MarshalIndent(info.Manifest, "", "  ")
			if err != nil {
				return fmt.Errorf("print the manifest of %s: %w", args[0], err)
			}
			_, err = fmt.Fprintf(a.out, "transport: %s\nsha256: %s\nmanifest: %s\n",
				info.Transport, info.Digest, manifest)
			return err
		},
	}
}
