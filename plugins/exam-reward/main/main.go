// Command main serves the plugin exam-reward as a WebAssembly module or a process.
package main

import (
	_ "github.com/carebot-llm/carebot/plugins/exam-reward"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func main() { wire.Serve() }
