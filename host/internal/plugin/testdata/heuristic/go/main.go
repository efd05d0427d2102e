// Command go serves the filter as a module.
package main

import (
	"github.com/carebot-llm/carebot/host/internal/plugin/testdata/heuristic"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func init() { sdk.Register(heuristic.Plugin) }

func main() { wire.Serve() }
