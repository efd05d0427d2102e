package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/parquet-go/parquet-go"
)

// info describes an internal dataset. It is the file info.json beside the records.
type info struct {
	Version   int            `json:"version"`
	Records   int            `json:"records"`
	Sources   map[string]int `json:"sources"`   // records by source
	Languages map[string]int `json:"languages"` // records by language
	Scores    []string       `json:"scores"`    // names of the score columns, sorted
}

const (
	datasetVersion = 2
	recordsFile    = "records.parquet"
	infoFile       = "info.json"
	maxInfo        = 1 << 20 // bytes
	rowGroup       = 1 << 14 // rows
)

// recordColumns are the columns of every dataset, beside one for each score.
var recordColumns = parquet.Group{
	"id": parquet.String(), "source": parquet.String(), "language": parquet.String(),
	"file": parquet.String(), "line": parquet.Int(64),
	"text": parquet.String(), "turns": turnsColumn, "prompt": turnsColumn,
	"messages": parquet.String(), "tools": parquet.String(),
	"chosen": parquet.String(), "rejected": parquet.String(),
	"question": parquet.String(), "options": parquet.List(parquet.String()), "answer": parquet.Int(64),
}

var turnsColumn = parquet.List(parquet.Group{"role": parquet.String(), "text": parquet.String()})

// WriteDataset writes records to the directory dir: zstd-compressed Parquet and info.json, whole or not at all. The
// same records give the same bytes.
func WriteDataset(dir string, records []*Record) error {
	about := describe(records)
	schema, err := schemaWith(about.Scores)
	if err != nil {
		return fmt.Errorf("write dataset %s: %w", dir, err)
	}
	text, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return fmt.Errorf("write dataset %s: %w", dir, err)
	}
	rows := func(w io.Writer) error { return writeRows(w, schema, records) }
	return durable.Dir(dir, func(beside string) error {
		return errors.Join(durable.Write(filepath.Join(beside, recordsFile), rows),
			durable.WriteFile(filepath.Join(beside, infoFile), append(text, '\n')))
	})
}

func describe(records []*Record) info {
	about := info{Version: datasetVersion, Records: len(records)}
	about.Sources, about.Languages = map[string]int{}, map[string]int{}
	scores := map[string]bool{}
	for _, r := range records {
		about.Sources[r.Source]++
		about.Languages[r.Language]++
		for name := range r.Scores {
			scores[name] = true
		}
	}
	about.Scores = slices.Sorted(maps.Keys(scores))
	return about
}

func schemaWith(scores []string) (*parquet.Schema, error) {
	columns := maps.Clone(recordColumns)
	for _, name := range scores {
		if _, taken := recordColumns[name]; taken {
			return nil, fmt.Errorf("a score is named %q, as the column of a record is", name)
		}
		columns[name] = parquet.Optional(parquet.Leaf(parquet.FloatType))
	}
	return parquet.NewSchema("record", columns), nil
}

func writeRows(out io.Writer, schema *parquet.Schema, records []*Record) error {
	w := parquet.NewGenericWriter[any](out, schema,
		parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowGroup))
	for _, r := range records {
		if _, err := w.Write([]any{r.columns()}); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return w.Close()
}

// columns is the record as a row.
func (r *Record) columns() map[string]any {
	c := map[string]any{
		"id": r.ID, "source": r.Source, "language": r.Language, "file": r.File, "line": int64(r.Line),
		"text": r.Text, "turns": turnRows(r.Turns), "prompt": turnRows(r.Prompt),
		"messages": r.Whole.Messages, "tools": r.Whole.Tools,
		"chosen": r.Chosen, "rejected": r.Rejected,
		"question": r.Question, "options": r.Options, "answer": int64(r.Answer),
	}
	for name, score := range r.Scores {
		c[name] = &score // the writer takes a bare zero for null
	}
	return c
}

func turnRows(turns []sdk.Turn) []any {
	rows := make([]any, len(turns))
	for i, t := range turns {
		rows[i] = map[string]any{"role": string(t.Role), "text": t.Text}
	}
	return rows
}

// OpenDataset reads what WriteDataset wrote. A dataset whose files disagree, or that holds columns of other types, is
// an error.
func OpenDataset(dir string) ([]*Record, error) {
	about, err := readInfo(dir)
	if err != nil {
		return nil, fmt.Errorf("open dataset %s: %w", dir, err)
	}
	records, err := readRecords(File{Name: recordsFile, fsys: os.DirFS(dir), path: recordsFile}, about.Scores)
	if err == nil && len(records) != about.Records {
		err = fmt.Errorf("%s holds %d records, %s says %d", recordsFile, len(records), infoFile, about.Records)
	}
	if err != nil {
		return nil, fmt.Errorf("open dataset %s: %w", dir, err)
	}
	return records, nil
}

func readRecords(f File, scores []string) (records []*Record, err error) {
	var bad error
	err = f.rowsIn("parquet", "", recipe.Dataset{}, func(r row) bool {
		rec, err := fromRow(r, scores)
		if err != nil {
			bad = fmt.Errorf("row %d: %w", r.line, err)
			return false
		}
		records = append(records, rec)
		return true
	})
	return records, errors.Join(err, bad)
}

func readInfo(dir string) (about info, err error) {
	f, err := os.Open(filepath.Join(dir, infoFile))
	if err != nil {
		return about, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxInfo))
	if err = errors.Join(err, f.Close()); err == nil {
		err = json.Unmarshal(text, &about)
	}
	if err == nil && about.Version != datasetVersion {
		err = fmt.Errorf("%s: version %d, want %d", infoFile, about.Version, datasetVersion)
	}
	return about, err
}

// fromRow is the inverse of columns.
func fromRow(r row, scores []string) (*Record, error) {
	if r.bad != nil {
		return nil, r.bad
	}
	c := columnReader{fields: r.fields.(object)}
	rec := &Record{
		ID: c.text("id"), Source: c.text("source"), Language: c.text("language"),
		File: c.text("file"), Line: c.number("line"),
		Text: c.text("text"), Turns: c.turns("turns"), Prompt: c.turns("prompt"),
		Whole:  Whole{c.text("messages"), c.text("tools")},
		Chosen: c.text("chosen"), Rejected: c.text("rejected"),
		Question: c.text("question"), Options: c.texts("options"), Answer: c.number("answer"),
	}
	for _, name := range scores {
		if v, ok := c.fields[name].(float32); ok {
			if rec.Scores == nil {
				rec.Scores = map[string]float32{}
			}
			rec.Scores[name] = v
		}
	}
	return rec, c.err
}

// A columnReader takes typed values out of a row and keeps the first error.
type columnReader struct {
	fields object
	err    error
}

func column[T any](c *columnReader, fields object, name string) T {
	v, ok := fields[name].(T)
	if !ok && c.err == nil {
		c.err = fmt.Errorf("column %s holds %T, want %T", name, fields[name], v)
	}
	return v
}

func (c *columnReader) text(name string) string { return column[string](c, c.fields, name) }

func (c *columnReader) number(name string) int { return int(column[int64](c, c.fields, name)) }

func (c *columnReader) texts(name string) []string {
	var all []string
	for _, v := range column[[]any](c, c.fields, name) {
		all = append(all, column[string](c, object{name: v}, name))
	}
	return all
}

func (c *columnReader) turns(name string) []sdk.Turn {
	var all []sdk.Turn
	for _, v := range column[[]any](c, c.fields, name) {
		o := object(column[map[string]any](c, object{name: v}, name))
		all = append(all, sdk.Turn{Role: sdk.Role(column[string](c, o, "role")), Text: column[string](c, o, "text")})
	}
	return all
}
