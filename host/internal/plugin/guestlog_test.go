package plugin

import (
	"log/slog"
	"testing"
)

func TestErrorThatAModuleLogsExplainsItsTrap(t *testing.T) {
	var log logged
	o := &output{log: newGuestLog(log.logger())}
	o.say(slog.LevelError, "index out of range (assembly/index.ts:7:3)")
	o.say(slog.LevelInfo, "unrelated")
	if got, want := o.explained("unreachable"), "unreachable: index out of range (assembly/index.ts:7:3)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	wantError(t, errorText(log.String()), "level=ERROR", "level=INFO")
	o.forget()
	if got := o.explained("unreachable"); got != "unreachable" {
		t.Errorf("%q after another call has begun", got)
	}
}
