package main

import (
	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/run"
)

func newPlan(a *app) *cobra.Command {
	return recipeVerb(a, "plan", "Show what run would do, and touch nothing",
		`Show the stages of a recipe in their order, which of them are done, their tokens, steps, parameters and memory,
and the digests of the plugins. Files that are missing are warnings.`,
		(*run.Process).Plan)
}
