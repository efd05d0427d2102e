package main

import (
	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/run"
)

func newRun(a *app) *cobra.Command {
	return recipeVerb(a, "run", "Do the stages of a recipe that are not done",
		`Do the stages of a recipe in the order of their references. A stage that was done with the same inputs is not
done again, one that was interrupted goes on where it stopped. SIGINT and SIGTERM save the state first; a second signal
does not.`,
		(*run.Process).Run)
}
