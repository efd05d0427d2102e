package main

// What this binary contains: the devices it can compute on and the plugins that recipes name without a path.
import (
	_ "github.com/carebot-llm/carebot/accelerators/cpu"
	_ "github.com/carebot-llm/carebot/plugins/confilter"
	_ "github.com/carebot-llm/carebot/plugins/datarater"
	_ "github.com/carebot-llm/carebot/plugins/exam-reward"
	_ "github.com/carebot-llm/carebot/plugins/quality-rules"
	_ "github.com/carebot-llm/carebot/plugins/reward-head"
)
