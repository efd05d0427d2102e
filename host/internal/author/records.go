package author

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/sdktest/standin"
)

// A Source is a file of records: a path, a glob, or sample:// of the embedded data.
type Source struct {
	File, Format string // an empty format is the usual one of the plugin's first kind
	Samples      fs.FS
}

// usual are the formats of a kind's records.
var usual = map[sdk.Kind]string{
	sdk.KindScorer: "text", sdk.KindFilter: "messages", sdk.KindReward: "preference",
}

// Read reads records that the plugin takes: texts for a scorer, dialogues for a filter, preference pairs for a reward
// model, which sees each answer of a pair as a sample. All records must be well formed. The places are those of the
// records, file and line.
func (s Source) Read(ctx context.Context, m sdk.Manifest) (r standin.Records, places []string, err error) {
	format := s.Format
	if format == "" {
		format = usual[m.Kinds[0]]
	}
	spec := recipe.Dataset{
		Files: []string{s.File}, Reader: "auto", Encoding: "auto", Format: format, Language: "auto", Source: s.File,
	}
	records, _, err := data.Read(ctx, s.File, spec, ".", s.Samples, data.NewQuarantine(nil))
	if err != nil {
		return r, nil, err
	}
	for _, record := range records {
		kind := add(&r, record)
		if !slices.Contains(m.Kinds, kind) {
			return r, nil, fmt.Errorf("%s:%d: a record for a %s, and %s is none (it is: %v)",
				record.File, record.Line, kind, m.Name, m.Kinds)
		}
		places = append(places, fmt.Sprintf("%s:%d", record.File, record.Line))
		if kind == sdk.KindReward {
			places = append(places, places[len(places)-1])
		}
	}
	return r, places, nil
}

// add puts a record where its kind belongs and returns the kind of plugin that is for it.
func add(r *standin.Records, record *data.Record) sdk.Kind {
	switch record.Kind() {
	case data.KindDialogue:
		r.Dialogues = append(r.Dialogues, record.Dialogue())
		return sdk.KindFilter
	case data.KindPair:
		for _, answer := range []string{record.Chosen, record.Rejected} {
			r.Samples = append(r.Samples, sdk.Sample{ID: record.ID, History: record.Prompt, Response: answer})
		}
		return sdk.KindReward
	}
	r.Documents = append(r.Documents, record.Document())
	return sdk.KindScorer
}
