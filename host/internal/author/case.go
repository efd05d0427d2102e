package author

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/carebot-llm/carebot/sdk"
)

// A Case is a record with what the plugin must answer: one line of cases.jsonl. It has one record.
type Case struct {
	Line     int // of the file, counted from 1
	Name     string
	With     map[string]any // configuration that the plugin is opened with
	Document *sdk.Document
	Dialogue *sdk.Dialogue
	Sample   *sdk.Sample

	want want
}

// A want is what a case says of the answer. What it does not say, it does not ask for; but an answer that is meant to
// be an abstention or a fault says so.
type want struct {
	Status  string             `json:"status"`
	Scores  map[string]float64 `json:"scores"`
	Action  string             `json:"action"`
	Score   *float64           `json:"score"`
	Reasons []string           `json:"reasons"`
	Edits   []edit             `json:"edits"`
	Reward  *float64           `json:"reward"`
	Parts   map[string]float64 `json:"parts"`
}

// An edit is an sdk.TurnEdit in the words of cases.jsonl.
type edit struct {
	Turn int    `json:"turn"`
	Op   string `json:"op"`
	Text string `json:"text"`
}

// The words for numbers of the contract, each in its place.
var (
	statuses = []string{sdk.OK: "ok", sdk.Abstain: "abstain", sdk.Fault: "fault"}
	actions  = []string{sdk.Keep: "keep", sdk.Drop: "drop", sdk.Edit: "edit", sdk.Later: "later"}
	editOps  = []string{sdk.ReplaceTurn: "replace", sdk.DeleteTurn: "delete", sdk.InsertTurn: "insert"}
)

// Bounds of a file of cases.
const (
	maxCases    = 100_000
	maxCaseLine = 16 << 20 // bytes
)

// ReadCases reads a file of cases. Its errors name file, line and key.
func ReadCases(file string) ([]Case, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the cases: %w", err)
	}
	defer f.Close()
	return readCases(f, file)
}

func readCases(r io.Reader, file string) ([]Case, error) {
	var cases []Case
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxCaseLine)
	for line := 1; in.Scan(); line++ {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		c, err := parseCase(in.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, line, err)
		}
		c.Line = line
		if cases = append(cases, c); len(cases) > maxCases {
			return nil, fmt.Errorf("%s:%d: more than %d cases", file, line, maxCases)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return cases, nil
}

// parseCase reads one line. The wanted answer may have the keys of its record's kind only.
func parseCase(line []byte) (Case, error) {
	var raw struct {
		Name     string
		With     map[string]any
		Document *sdk.Document
		Dialogue *sdk.Dialogue
		Sample   *sdk.Sample
		Want     json.RawMessage
	}
	if err := strict(line, &raw); err != nil {
		return Case{}, err
	}
	c := Case{Name: raw.Name, With: raw.With, Document: raw.Document, Dialogue: raw.Dialogue, Sample: raw.Sample}
	if len(raw.Want) == 0 {
		return Case{}, errors.New("want: missing: say what the plugin must answer")
	}
	var keys []string
	switch {
	case c.Document != nil && c.Dialogue == nil && c.Sample == nil:
		keys = []string{"status", "scores"}
	case c.Document == nil && c.Dialogue != nil && c.Sample == nil:
		keys = []string{"status", "action", "score", "reasons", "edits"}
	case c.Document == nil && c.Dialogue == nil && c.Sample != nil:
		keys = []string{"status", "reward", "parts"}
	default:
		return Case{}, errors.New("a case has one of document, dialogue and sample")
	}
	if err := c.want.parse(raw.Want, keys); err != nil {
		return Case{}, fmt.Errorf("want%w", err)
	}
	return c, nil
}

// strict decodes JSON in which every key must be known.
func strict(data []byte, into any) error {
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	if err := in.Decode(into); err != nil {
		return err
	}
	if in.More() {
		return errors.New("more than one object in the line")
	}
	return nil
}

// parse reads the wanted answer. Its errors go on after the word want.
func (w *want) parse(data []byte, keys []string) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return fmt.Errorf(": %w", err)
	}
	for key := range given {
		if !slices.Contains(keys, key) {
			return fmt.Errorf(".%s: unknown key (known here: %v)", key, keys)
		}
	}
	if err := strict(data, w); err != nil {
		return fmt.Errorf(": %w", err)
	}
	if w.Status == "" {
		w.Status = statuses[sdk.OK]
	}
	if !slices.Contains(statuses, w.Status) {
		return fmt.Errorf(".status: unknown status %q (known: %v)", w.Status, statuses)
	}
	if w.Action != "" && !slices.Contains(actions, w.Action) {
		return fmt.Errorf(".action: unknown action %q (known: %v)", w.Action, actions)
	}
	for _, e := range w.Edits {
		if !slices.Contains(editOps, e.Op) {
			return fmt.Errorf(".edits: unknown op %q (known: %v)", e.Op, editOps)
		}
	}
	return nil
}
