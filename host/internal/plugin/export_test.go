package plugin

import (
	"testing"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// What tests share that build plugins with package author, which imports this one.
var (
	ModuleOf = moduleOf
	Compare  = compare
	Texts    = texts
)

// Contestant is a side of Compare.
func Contestant(name string, do func()) contestant { return contestant{name, do} }

// BuiltDir is the folder of what the tests of a run build, and their cache of compiled modules.
func BuiltDir() string { return built }

// Asked returns two functions that put the same request to a module: as it was before it was instrumented, and as the
// host runs it, without what the host does with answers.
func Asked(t testing.TB, p *Plugin, path string, docs []sdk.Document) (plain, metered func()) {
	frame, err := wire.EncodeDocuments(new(wire.Builder), 0, wire.ColumnsOf(wire.Documents, nil), docs)
	if err != nil {
		t.Fatal(err)
	}
	asked := func(inst instance) func() {
		return func() {
			if _, err := inst.run(t.Context(), wire.Documents, frame); err != nil {
				t.Fatal(err)
			}
		}
	}
	return asked(plainInstance(t, p.pool.engine.(*module), path)), asked(p.pool.idle[0])
}
