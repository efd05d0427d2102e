package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/oci"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

func newInspect(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect USE",
		Short: "Print what a plugin is and asks for",
		Long: `Print what the key use of a recipe would find, a built-in plugin by its name, a .wasm module or an executable by
its path, a module in a registry by its reference: how it runs, its size and sha256, what it imports, what it asks for,
and its manifest. No code of a module runs; an executable is started, contained, to describe itself.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if oci.IsReference(args[0]) {
				return a.inspectShared(cmd.Context(), args[0])
			}
			info, err := plugin.Inspect(cmd.Context(), recipe.Plugin{Use: args[0]}, ".")
			if err != nil {
				return err
			}
			return a.inspected(info)
		},
	}
}

// inspectShared looks into a module in a registry or layout, by tag or digest. Nothing of it is kept.
func (a *app) inspectShared(ctx context.Context, reference string) error {
	p, pinned, err := oci.Pull(ctx, reference)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "carebot-plugin-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "plugin.wasm")
	if err := os.WriteFile(file, p.Module, 0o600); err != nil {
		return err
	}
	info, err := plugin.Inspect(ctx, recipe.Plugin{Use: file}, ".")
	if err != nil {
		return fmt.Errorf("%s: %w", reference, err)
	}
	fmt.Fprintf(a.out, "reference: %s\n", pinned)
	return a.inspected(info)
}

// inspected prints what is known of a plugin: lines of key and value, the manifest last.
func (a *app) inspected(info plugin.Info) error {
	manifest, err := json.MarshalIndent(info.Manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("print the manifest of %s: %w", info.Manifest.Name, err)
	}
	for _, line := range []struct{ key, value string }{
		{"transport", info.Transport}, {"file", info.Path}, {"size", size(info.Path)}, {"sha256", info.Digest},
		{"imports", strings.Join(info.Imports, " ")}, {"asks for", strings.Join(info.Manifest.Capabilities, " ")},
		{"contained", info.Contained},
	} {
		if line.value != "" {
			fmt.Fprintf(a.out, "%s: %s\n", line.key, line.value)
		}
	}
	_, err = fmt.Fprintf(a.out, "manifest: %s\n", manifest)
	return err
}

// size is the size of a plugin's file, empty for one that is built in.
func size(file string) string {
	stat, err := os.Stat(file)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d bytes", stat.Size())
}
