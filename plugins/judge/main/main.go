// Command main serves the plugin judge as a process.
package main

import (
	_ "github.com/carebot-llm/carebot/plugins/judge"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func main() { wire.Serve() }
