package main

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// An entry is a mapping of a recipe that a command line stands for.
type entry map[string]any

// adhoc makes the recipe of a command line.
func adhoc(spec entry) (*recipe.Recipe, error) {
	text, err := yaml.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("write the recipe of the command line: %w", err)
	}
	r, err := recipe.Parse(recipe.CommandLine, text, nil)
	if err != nil {
		return nil, usageError{err}
	}
	return r, nil
}
