package plugin

import (
	"fmt"
	"maps"
	"slices"

	"github.com/carebot-llm/carebot/sdk"
)

// embedded holds the modules that are part of the binary, by the names that recipes use.
var embedded = map[string][]byte{}

// RegisterModule makes a module that is part of the binary known under a name. It runs in the sandbox, as one from a
// file does. It is called from an init function and panics when the name is taken.
func RegisterModule(name string, code []byte) {
	if slices.Contains(Builtins(), name) {
		panic(fmt.Sprintf("plugin: %q is registered twice", name))
	}
	embedded[name] = code
}

// Builtins returns the names of the plugins that are part of the binary, sorted.
func Builtins() []string {
	names := slices.AppendSeq(sdk.Names(), maps.Keys(embedded))
	slices.Sort(names)
	return names
}
