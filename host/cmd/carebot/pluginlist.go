package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

func newList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "ls [DIR ...]",
		Short: "List the built-in plugins and the modules in folders",
		RunE: func(cmd *cobra.Command, dirs []string) error {
			uses := plugin.Builtins()
			for _, dir := range dirs {
				modules, err := filepath.Glob(filepath.Join(dir, "*.wasm"))
				if err != nil {
					return usageError{fmt.Errorf("%s: %w", dir, err)}
				}
				uses = append(uses, modules...)
			}
			t := tablewriter.NewTable(a.out)
			t.Header("use", "name", "version", "kinds", "asks for", "summary")
			for _, use := range uses {
				info, err := plugin.Inspect(cmd.Context(), recipe.Plugin{Use: use}, ".")
				if err != nil {
					return err
				}
				if err := t.Append(listed(use, info.Manifest)); err != nil {
					return err
				}
			}
			return t.Render()
		},
	}
}

func listed(use string, m sdk.Manifest) []string {
	kinds := make([]string, len(m.Kinds))
	for i, k := range m.Kinds {
		kinds[i] = string(k)
	}
	return []string{use, m.Name, m.Version, strings.Join(kinds, ", "), strings.Join(m.Capabilities, ", "), m.Summary}
}
