package wire

import (
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/sdk"
)

// A Column is the number of a column. A reader ignores columns that it does not know, so a later minor version may add
// some.
type Column uint16

// Columns of documents, dialogues and samples.
const (
	ColID        Column = 0x01 // bytes
	ColText      Column = 0x02 // bytes
	ColLanguage  Column = 0x03 // bytes
	ColSource    Column = 0x04 // bytes
	ColMeta      Column = 0x05 // bytes
	ColTurns     Column = 0x06 // list of ColTurnRole, ColTurnText
	ColHistory   Column = 0x07 // list of ColHistoryRole, ColHistoryText
	ColResponse  Column = 0x08 // bytes
	ColReference Column = 0x09 // bytes
)

// Columns of ratings, verdicts and judgements.
const (
	ColStatus  Column = 0x20  // u8: sdk.Status
	ColDetail  Column = 0x21  // bytes
	ColAction  Column = 0x22  // u8: sdk.Action
	ColScore   Column = 0x23  // f32: a verdict's score
	ColReasons Column = 0x24  // list of ColReason
	ColReward  Column = 0x25  // f32
	ColScores  Column = 0x100 // f32, nullable: the manifest's score i is column ColScores+i
)

// Columns of model requests and answers.
const (
	ColContext      Column = 0x40 // list of ColContextRole, ColContextText
	ColContext2     Column = 0x41 // list of ColContext2Role, ColContext2Text; nullable
	ColContinuation Column = 0x42 // bytes
	ColLogProb      Column = 0x43 // f64
	ColLogProb2     Column = 0x44 // f64
	ColTokens       Column = 0x45 // u32
	ColVector       Column = 0x46 // list of ColValue
)

// Columns of the frame that opens an instance.
const (
	ColConfig Column = 0x60 // bytes: JSON object
	ColSeed   Column = 0x61 // i64: the bits of the seed
	ColModels Column = 0x62 // list of ColModelName to ColModelHidden: models[i] is model i of the imports
)

// childBit marks the columns whose rows are not the rows of the frame but elements of a list.
const childBit Column = 0x4000

// Child columns.
const (
	ColTurnRole     = childBit | 0x01 // u8: role
	ColTurnText     = childBit | 0x02 // bytes
	ColHistoryRole  = childBit | 0x03 // u8: role
	ColHistoryText  = childBit | 0x04 // bytes
	ColReason       = childBit | 0x05 // u16: index into the manifest's reasons
	ColEditRow      = childBit | 0x06 // u32: row of the frame, never falling; edits belong to no list
	ColEditTurn     = childBit | 0x07 // u32
	ColEditOp       = childBit | 0x08 // u8: sdk.EditOp
	ColEditText     = childBit | 0x09 // bytes
	ColContextRole  = childBit | 0x0a // u8: role
	ColContextText  = childBit | 0x0b // bytes
	ColContext2Role = childBit | 0x0c // u8: role
	ColContext2Text = childBit | 0x0d // bytes
	ColValue        = childBit | 0x0e // f64
	ColModelName    = childBit | 0x10 // bytes: the plugin's name for it
	ColModelInfo    = childBit | 0x11 // bytes: the model's own name
	ColModelTokens  = childBit | 0x12 // u32: longest input
	ColModelOutputs = childBit | 0x13 // u32: width of the head
	ColModelHidden  = childBit | 0x14 // u32: width of the vectors
)

func (c Column) child() bool { return c&childBit != 0 }

// names are the input columns by the names that a manifest uses for them.
var names = map[Kind][]struct {
	name   string
	column Column
}{
	Documents: {{"id", ColID}, {"text", ColText}, {"language", ColLanguage}, {"source", ColSource}, {"meta", ColMeta}},
	Dialogues: {{"id", ColID}, {"turns", ColTurns}, {"language", ColLanguage}, {"source", ColSource}},
	Samples:   {{"id", ColID}, {"history", ColHistory}, {"response", ColResponse}, {"reference", ColReference}},
}

// KindOf returns the kind of frame that a kind of plugin is asked with.
func KindOf(k sdk.Kind) (Kind, error) {
	switch k {
	case sdk.KindScorer:
		return Documents, nil
	case sdk.KindFilter:
		return Dialogues, nil
	case sdk.KindReward:
		return Samples, nil
	}
	return 0, fmt.Errorf("unknown kind %q (known: %s, %s, %s)", k, sdk.KindScorer, sdk.KindFilter, sdk.KindReward)
}

// ColumnsOf returns the columns of a frame of kind k that a manifest names, in their order in the frame: all of them
// when it names none. A name that only other kinds have is skipped.
func ColumnsOf(k Kind, wanted []string) []Column {
	var columns []Column
	for _, n := range names[k] {
		if len(wanted) == 0 || slices.Contains(wanted, n.name) {
			columns = append(columns, n.column)
		}
	}
	return columns
}

// ColumnNames returns the names that the columns of frames of kind k have in a manifest.
func ColumnNames(k Kind) []string {
	var all []string
	for _, n := range names[k] {
		all = append(all, n.name)
	}
	return all
}

// hasList tells whether the columns have the list, which brings two child columns along.
func hasList(columns []Column, list Column) bool { return slices.Contains(columns, list) }
