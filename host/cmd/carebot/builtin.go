package main

// What this binary contains: the devices it can compute on and the plugins that recipes name without a path.
import (
	_ "github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	_ "github.com/carebot-llm/carebot/plugins/confilter"
	_ "github.com/carebot-llm/carebot/plugins/datarater"
	_ "github.com/carebot-llm/carebot/plugins/exam-reward"
	qualityrules "github.com/carebot-llm/carebot/plugins/quality-rules"
	_ "github.com/carebot-llm/carebot/plugins/reward-head"
)

func init() { plugin.RegisterModule("quality-rules", qualityrules.Module) }
