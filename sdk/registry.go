package sdk

import (
	"fmt"
	"maps"
	"slices"
)

var registry = map[string]Plugin{}

// Register makes a plugin known to the binary that contains it: to the host under its manifest's name, or to wire.Serve. It is
// called from an init function and panics when the name is taken.
func Register(p Plugin) {
	if _, taken := registry[p.Manifest.Name]; taken {
		panic(fmt.Sprintf("sdk: plugin %q is registered twice", p.Manifest.Name))
	}
	registry[p.Manifest.Name] = p
}

// Registered returns the plugin of that name.
func Registered(name string) (Plugin, bool) {
	p, ok := registry[name]
	return p, ok
}

// Names returns the names of the registered plugins, sorted.
func Names() []string { return slices.Sorted(maps.Keys(registry)) }
