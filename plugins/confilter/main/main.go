// Command main serves the plugin confilter as a WebAssembly module or a process.
package main

import (
	_ "github.com/carebot-llm/carebot/plugins/confilter"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func main() { wire.Serve() }
