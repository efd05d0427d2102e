// Command main serves the plugin quality-rules as a WebAssembly module or a process.
package main

import (
	_ "github.com/carebot-llm/carebot/plugins/quality-rules"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func main() { wire.Serve() }
