package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/author"
)

func newBuild(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Build a plugin's folder and pack its manifest",
		Long: `Build the plugin in a folder, by default the working directory, with the tools of its language, and pack the
manifest into the module. A Python plugin is a script: nothing is built, but it must start.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := filepath.Abs(folderOf(args))
			if err != nil {
				return err
			}
			if out == "" {
				out = filepath.Join(dir, filepath.Base(dir)+".wasm")
			}
			use, err := author.Build(cmd.Context(), dir, out)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, use)
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "module to write (default: the folder's name and .wasm, in the folder)")
	return cmd
}

// folderOf is the folder that a command line names, or the working directory.
func folderOf(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}
