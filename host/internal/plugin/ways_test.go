package plugin

import (
	"testing"

	"github.com/carebot-llm/carebot/sdk/sdktest"
	"github.com/carebot-llm/carebot/sdk/sdktest/example"
	"github.com/carebot-llm/carebot/sdk/sdktest/example/median"
)

// ways are the three ways in which a plugin's source is used.
var ways = []struct {
	transport string
	use       func(t testing.TB, name string) string
}{
	{TransportBuiltin, func(_ testing.TB, name string) string { return name }},
	{TransportWasm, func(t testing.TB, name string) string { return moduleOf(t, mains+name) }},
	{TransportProcess, executableOf},
}

func TestPluginAnswersTheSameInAllThreeWays(t *testing.T) {
	for _, name := range []string{example.Name, median.Name} {
		var want *sdktest.Answers
		for _, way := range ways {
			t.Run(name+"/"+way.transport, func(t *testing.T) {
				s := spec(way.use(t, name))
				if name == example.Name {
					s = withModels(s)
				}
				s.Plugin.Limits.Batch = 7
				p := opened(t, s)
				if p.Transport() != way.transport {
					t.Fatalf("runs as %s", p.Transport())
				}
				got := sdktest.Ask(t, p, p.Manifest(), sdktest.Records())
				if want == nil {
					want = &got
				}
				sdktest.Compare(t, *want, got)
			})
		}
	}
}

func TestModelFailuresAreFaultsOfTheirRecordsInAllThreeWays(t *testing.T) {
	for _, way := range ways {
		t.Run(way.transport, func(t *testing.T) {
			p := opened(t, withModels(spec(way.use(t, example.Name))))
			ratings, err := p.Score(t.Context(), documents("one", "two "+sdktest.Refused, "three", "four", "five"))
			if err != nil {
				t.Fatal(err)
			}
			if got := statuses(ratings); got != "ofooo" {
				t.Errorf("statuses %s", got)
			}
			if got, want := ratings[1].Detail, "model rater: refused"; got != want {
				t.Errorf("detail %q, want %q", got, want)
			}
		})
	}
}

func TestPluginRefusesAConfigurationInAllThreeWays(t *testing.T) {
	for _, way := range ways {
		t.Run(way.transport, func(t *testing.T) {
			s := withModels(spec(way.use(t, example.Name)))
			s.Plugin.With = map[string]any{"low": -1}
			_, err := Open(t.Context(), s)
			wantError(t, err, "plugin subject: ", "low is -1, below 0")
		})
	}
}

func TestGuestLogsReachTheLog(t *testing.T) {
	for _, way := range ways {
		t.Run(way.transport, func(t *testing.T) {
			var log logged
			s := withModels(spec(way.use(t, example.Name)))
			s.Log = log.logger()
			p, err := Open(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Filter(t.Context(), sdktest.Records().Dialogues[:3]); err != nil {
				t.Fatal(err)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			wantError(t, errorText(log.String()), "level=INFO", "1 of 3 dialogues compared")
		})
	}
}

// errorText is a text as an error, for wantError.
type errorText string

func (e errorText) Error() string { return string(e) }
