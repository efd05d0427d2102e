package plugin

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

// Capabilities that a manifest may request.
const (
	capModel   = "model:"
	capNetwork = "network"
)

func requests(m *sdk.Manifest, capability string) bool {
	return slices.Contains(m.Capabilities, capability)
}

// requestedModels returns the names of the models that a manifest requests, in its order.
func requestedModels(m *sdk.Manifest) []string {
	var names []string
	for _, c := range m.Capabilities {
		if name, ok := strings.CutPrefix(c, capModel); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// checkGrants reports what the manifest requests and the recipe does not grant, and grants that cannot be meant.
func checkGrants(i Info, p recipe.Plugin) error {
	var problems []error
	asker := i.Manifest.Name
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	models := requestedModels(&i.Manifest)
	for _, name := range models {
		if p.Models[name] == "" {
			bad("models.%s: %s asks for a model and the recipe binds none", name, asker)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Models)) {
		if !slices.Contains(models, name) {
			bad("models.%s: %s asks for no such model (it asks for: %s)", name, asker, strings.Join(models, ", "))
		}
	}
	process := i.Transport == TransportProcess
	switch network := requests(&i.Manifest, capNetwork); {
	case network && !process:
		bad("%s asks for the network, which only an executable can be granted", asker)
	case network && len(p.Grant.Network) == 0:
		bad("grant.network: %s asks for the network and the recipe grants none", asker)
	}
	if _, err := newNetwork("", p.Grant.Network); err != nil {
		problems = append(problems, err)
	}
	if len(p.Grant.Env) > 0 && !process {
		bad("grant.env: only an executable has an environment")
	}
	if len(p.Grant.Read)+len(p.Grant.Write) > 0 && !process {
		bad("grant.read, grant.write: only an executable sees files")
	}
	if len(p.Args) > 0 && !process {
		bad("args: only an executable has arguments")
	}
	return errors.Join(problems...)
}
