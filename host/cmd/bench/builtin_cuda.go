//go:build cuda

package main

import _ "github.com/carebot-llm/carebot/accelerators/cuda"
