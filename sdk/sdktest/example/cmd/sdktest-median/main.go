// Command sdktest-median is the median filter as a module or a process.
package main

import (
	_ "github.com/carebot-llm/carebot/sdk/sdktest/example/median"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func main() { wire.Serve() }
