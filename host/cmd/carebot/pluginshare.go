package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/oci"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

const referenceForms = `REFERENCE is oci://HOST/NAME:TAG of a registry, with the credentials that Docker keeps, or oci-layout://DIR:TAG of
an OCI layout on disk.`

func newPush(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "push MODULE REFERENCE",
		Short: "Put a module into an OCI registry",
		Long:  "Put a packed module into a registry and print its reference by digest, which a recipe can use.\n\n" + referenceForms,
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := plugin.Inspect(cmd.Context(), recipe.Plugin{Use: args[0]}, ".")
			if err != nil {
				return err
			}
			if info.Transport != plugin.TransportWasm || info.Path == "" {
				return fmt.Errorf("%s is no module's file; only modules are shared, since they run in a sandbox", args[0])
			}
			p := oci.Plugin{Name: info.Manifest.Name, Version: info.Manifest.Version}
			if p.Manifest, err = json.Marshal(info.Manifest); err != nil {
				return err
			}
			if p.Module, err = readBounded(info.Path, maxModule); err != nil {
				return err
			}
			pinned, err := oci.Push(cmd.Context(), args[1], p)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, pinned)
			return err
		},
	}
}

func newPull(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "pull REFERENCE",
		Short: "Get a module from an OCI registry",
		Long: `Get a module, check it against its digest and write it to a file. What is printed is the reference by digest,
which a recipe can use as it can the file.

` + referenceForms,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, pinned, err := oci.Pull(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if out == "" {
				out = fileName(p.Name) + ".wasm"
			}
			if err := durable.WriteFile(out, p.Module); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "%s\n%s\n", filepath.Clean(out), pinned)
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write (default: the plugin's name and .wasm)")
	return cmd
}

// unsafeInName is what a name from elsewhere may not bring into a file's name.
var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

func fileName(name string) string {
	if name = unsafeInName.ReplaceAllString(name, "-"); name == "" {
		return "plugin"
	}
	return name
}
