package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/author"
)

func newNew(a *app) *cobra.Command {
	var language string
	cmd := &cobra.Command{
		Use:   "new KIND NAME",
		Short: "Make the folder of a new plugin",
		Long: `Make the folder NAME with a plugin that builds and passes its tests as it is.

KIND is ` + strings.Join(author.Kinds, ", ") + `: it rates documents, filters dialogues or judges answers.
The environment variable ` + author.SDKVariable + ` names the folder sdk of a checkout: then building takes the kit from there
instead of the place where it is published.`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			kind, name := args[0], args[1]
			if err := author.New(kind, name, language, name); err != nil {
				return err
			}
			_, err := fmt.Fprintf(a.out, "%s is a %s in %s that builds and passes its tests. Go on with\n\n"+
				"    cd %s\n    carebot plugin test\n", name, kind, language, name)
			return err
		},
	}
	cmd.Flags().StringVar(&language, "lang", "go", strings.Join(author.Languages, ", "))
	return cmd
}
