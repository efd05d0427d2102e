package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// maxManifest bounds a manifest, in bytes.
const maxManifest = 64 << 10

// parseManifest reads a manifest. Keys that a later minor version adds are ignored.
func parseManifest(data []byte) (m sdk.Manifest, err error) {
	if len(data) > maxManifest {
		return m, fmt.Errorf("manifest of %d bytes is larger than %d", len(data), maxManifest)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("manifest: %w", err)
	}
	return m, nil
}

// checkManifest reports everything that is wrong with a manifest.
func checkManifest(m *sdk.Manifest) error {
	var problems []error
	bad := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("manifest: "+format, args...))
	}
	if m.ABI != sdk.ABI {
		bad("abi is %d, this host speaks %d", m.ABI, sdk.ABI)
	}
	if m.Name == "" || m.Version == "" {
		bad("name %q or version %q is empty", m.Name, m.Version)
	}
	if !slices.Contains([]sdk.Purity{sdk.Pure, sdk.Seeded, sdk.Stateful}, m.Purity) {
		bad("purity %q is none of %s, %s, %s", m.Purity, sdk.Pure, sdk.Seeded, sdk.Stateful)
	}
	if _, err := wire.NewTables(m); err != nil {
		bad("%w", err)
	}
	if err := checkKinds(m); err != nil {
		bad("%w", err)
	}
	for _, c := range m.Capabilities {
		if name, model := strings.CutPrefix(c, capModel); c != capNetwork && (!model || name == "") {
			bad("unknown capability %q (known: %sNAME, %s)", c, capModel, capNetwork)
		}
	}
	return errors.Join(append(problems, checkSchema(m.Config))...)
}

// checkKinds checks the kinds, and that each column is one of theirs.
func checkKinds(m *sdk.Manifest) error {
	if len(m.Kinds) == 0 {
		return errors.New("no kinds")
	}
	var known []string
	for _, k := range m.Kinds {
		kind, err := wire.KindOf(k)
		if err != nil {
			return err
		}
		known = append(known, wire.ColumnNames(kind)...)
	}
	for _, c := range m.Columns {
		if !slices.Contains(known, c) {
			return fmt.Errorf("unknown column %q (known: %s)", c, strings.Join(known, ", "))
		}
	}
	return nil
}
