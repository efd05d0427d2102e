// Command main serves the plugin datarater as a WebAssembly module or a process.
package main

import (
	_ "github.com/carebot-llm/carebot/plugins/datarater"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func main() { wire.Serve() }
