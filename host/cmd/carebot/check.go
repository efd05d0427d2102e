package main

import (
	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/run"
)

func newCheck(a *app) *cobra.Command {
	return recipeVerb(a, "check", "Try whatever can be tried without training",
		`Check a recipe, its files, the first records of each dataset, plugins with their grants and configuration, and
tokenizers with their chat templates. All problems are reported at once.`,
		(*run.Process).Check)
}
