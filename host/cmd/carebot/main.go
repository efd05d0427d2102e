// Command carebot runs recipes: declarations of a whole process from data to an exported language model.
//
// Reading order: newRoot (the verbs and what they share), verbs.go (where they meet package run), a file for each verb.
package main

import (
	"os"

	"github.com/carebot-llm/carebot/host/internal/plugin"
)

func main() {
	plugin.Reexec()
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
