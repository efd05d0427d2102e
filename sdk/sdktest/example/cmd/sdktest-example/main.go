// Command sdktest-example is the example as a module or a process.
package main

import (
	_ "github.com/carebot-llm/carebot/sdk/sdktest/example"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func main() { wire.Serve() }
