package sdk

// ABI is the major version of the plugin contract (dp1) that this package speaks.
const ABI = 1

// A Manifest is what a plugin says of itself. It travels as JSON: in the custom section dp.manifest of a WebAssembly module,
// or as the answer of a process to Describe. It claims; the recipe grants.
type Manifest struct {
	ABI          int           `json:"abi"`
	Name         string        `json:"name"`
	Version      string        `json:"version"`
	Summary      string        `json:"summary,omitempty"`
	Kinds        []Kind        `json:"kinds"`
	Columns      []string      `json:"columns,omitempty"` // input columns wanted; empty means all of the kind
	Scores       []ScoreInfo   `json:"scores,omitempty"`  // a scorer's scores, or a reward's parts
	Reasons      []string      `json:"reasons,omitempty"` // a filter's reason table
	Purity       Purity        `json:"purity"`
	Capabilities []string      `json:"capabilities,omitempty"` // requested: "model:NAME", "network"
	Config       *ConfigSchema `json:"config,omitempty"`
}

// A Kind is one of the three methods.
type Kind string

// The kinds.
const (
	KindScorer Kind = "scorer"
	KindFilter Kind = "filter"
	KindReward Kind = "reward"
)

// Purity says what an answer may depend on besides its record and the configuration.
type Purity string

// The purities: nothing else; the seed; what was seen before.
const (
	Pure     Purity = "pure"
	Seeded   Purity = "seeded"
	Stateful Purity = "stateful"
)

// ScoreInfo describes a named score.
type ScoreInfo struct {
	Name           string   `json:"name"`
	Summary        string   `json:"summary,omitempty"`
	Min            *float64 `json:"min,omitempty"`
	Max            *float64 `json:"max,omitempty"`
	HigherIsBetter bool     `json:"higher_is_better"`
}

// A ConfigSchema lists the keys that the recipe's `with` block may hold. The host checks them before the plugin runs.
type ConfigSchema struct {
	Properties map[string]ConfigKey `json:"properties"`
	Required   []string             `json:"required,omitempty"`
}

// A ConfigKey describes one key. Type is a list of JSON Schema types: string, number, integer, boolean, array, object.
type ConfigKey struct {
	Type    []string `json:"type"`
	Summary string   `json:"summary,omitempty"`
	Default any      `json:"default,omitempty"`
}
