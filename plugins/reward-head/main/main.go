// Command main serves the plugin reward-head as a WebAssembly module or a process.
package main

import (
	_ "github.com/carebot-llm/carebot/plugins/reward-head"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func main() { wire.Serve() }
