package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/run"
)

func newFetch(a *app) *cobra.Command {
	var most string
	cmd := recipeVerb(a, "fetch", "Download what a recipe names on a hub",
		`Download the models, tokenizers and data sets that a recipe names as hf://... into the Hugging Face cache: of
models safetensors, configuration and tokenizer, of data sets the files of the configuration and split. Every file is checked
by its hash, and what was interrupted goes on. No other verb uses the network for them.

The endpoint is the recipe's key hub, else HF_ENDPOINT; the token is HF_TOKEN, or in HF_TOKEN_PATH or HF_HOME/token, and
goes to no other host. The cache is HF_HUB_CACHE, or HF_HOME/hub.`,
		func(p *run.Process, ctx context.Context) error {
			n, err := recipe.ParseBytes(most)
			if err != nil {
				return usageError{fmt.Errorf("--max-size: %w", err)}
			}
			return p.Fetch(ctx, int64(n))
		})
	cmd.Flags().StringVar(&most, "max-size", "100GB", "most bytes to get for one name")
	return cmd
}
