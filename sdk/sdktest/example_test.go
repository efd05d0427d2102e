package sdktest_test

import (
	"testing"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/sdktest"
	"github.com/carebot-llm/carebot/sdk/sdktest/example"
	"github.com/carebot-llm/carebot/sdk/sdktest/example/median"
)

func TestExamplesKeepTheContract(t *testing.T) {
	for _, name := range []string{example.Name, median.Name} {
		t.Run(name, func(t *testing.T) {
			p, ok := sdk.Registered(name)
			if !ok {
				t.Fatal("not registered")
			}
			c := sdktest.Records()
			c.Config = `{"low": 0.5, "greeting": "Hello. "}`
			sdktest.Run(t, p, []sdktest.Case{c})
		})
	}
}

func TestLateVerdictsComeInTheOrderOfTheDialogues(t *testing.T) {
	p, _ := sdk.Registered(median.Name)
	turn := func(text string) []sdk.Turn { return []sdk.Turn{{Role: sdk.RoleUser, Text: text}} }
	sdktest.Run(t, p, []sdktest.Case{{
		Name:      "lengths 1, 0, 4, 2",
		Dialogues: []sdk.Dialogue{{Turns: turn("a")}, {}, {Turns: turn("aaaa")}, {Turns: turn("aa")}},
		Want: &sdktest.Answers{
			Verdicts: []sdk.Verdict{
				{Action: sdk.Later}, {Action: sdk.Drop, Reasons: []string{"empty"}}, {Action: sdk.Later}, {Action: sdk.Later},
			},
			Late: []sdk.Verdict{{Action: sdk.Drop, Score: 0.5, Reasons: []string{"below-median"}}, {Score: 2}, {Score: 1}},
		},
	}})
}
