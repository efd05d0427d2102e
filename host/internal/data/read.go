package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// Counts say what became of the rows of a dataset.
type Counts struct {
	Files   int            `json:"files"`
	Rows    int            `json:"rows"`
	Bad     int            `json:"bad"`     // malformed, quarantined
	Limited int            `json:"limited"` // beyond the dataset's limit
	Records int            `json:"records"`
	Of      map[string]int `json:"languages"` // records by language
}

// A Reading is a dataset that is being read.
type Reading struct {
	ds     recipe.Dataset
	name   string
	files  []File
	parser *parser
	bad    *Quarantine
	first  []BadRecord
	counts Counts
}

// Open prepares the reading of a dataset: it checks the description and resolves the files, but opens none. Relative
// paths start from root, sample:// paths from samples. Malformed records go to bad, which may be nil.
func Open(name string, ds recipe.Dataset, root string, samples fs.FS, bad *Quarantine) (*Reading, error) {
	ds, err := Described(ds, root)
	if err != nil {
		return nil, err
	}
	p, err := newParser(name, ds)
	if err != nil {
		return nil, err
	}
	files, err := Files(ds, root, samples)
	if err != nil {
		return nil, err
	}
	if bad == nil {
		bad = NewQuarantine(nil)
	}
	r := &Reading{ds: ds, name: name, files: files, parser: p, bad: bad}
	r.counts = Counts{Files: len(files), Of: map[string]int{}}
	return r, nil
}

// Records reads the files in their order, a record at a time; the dataset's limit is not applied. It ends with an error
// when a file is damaged, the share of malformed records exceeds the dataset's max_bad, or a field that the recipe
// names is in no record.
func (r *Reading) Records(ctx context.Context) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		stopped := false
		for _, f := range r.files {
			err := r.read(ctx, f, func(rec *Record) bool {
				stopped = !yield(rec, nil)
				return !stopped
			})
			if stopped {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
		if err := r.verdict(); err != nil {
			yield(nil, err)
		}
	}
}

// read yields the good records of one file and quarantines the others.
func (r *Reading) read(ctx context.Context, f File, yield func(*Record) bool) error {
	var failed error
	err := f.rows(r.ds, func(row row) bool {
		if ctx.Err() != nil {
			failed = context.Cause(ctx)
			return false
		}
		r.counts.Rows++
		rec, err := r.parser.record(f.Name, row)
		if err != nil {
			failed = r.quarantine(BadRecord{r.name, f.Name, row.line, err.Error(), row.excerpt()})
			return failed == nil
		}
		r.counts.Records++
		r.counts.Of[rec.Language]++
		return yield(rec)
	})
	return errors.Join(failed, err)
}

const badShown = 3

func (r *Reading) quarantine(b BadRecord) error {
	r.counts.Bad++
	if len(r.first) < badShown {
		r.first = append(r.first, b)
	}
	return r.bad.Add(b)
}

// verdict says whether what was read can be used.
func (r *Reading) verdict() error {
	c := r.counts
	if c.Rows == 0 {
		return errors.New("the files hold no records")
	}
	if share := float64(c.Bad) / float64(c.Rows); share > r.ds.MaxBad {
		var lines []string
		for _, b := range r.first {
			lines = append(lines, b.String())
		}
		return fmt.Errorf("%d of %d records are malformed (%.3g %%, max_bad allows %.3g %%), such as\n  %s",
			c.Bad, c.Rows, 100*share, 100*r.ds.MaxBad, strings.Join(lines, "\n  "))
	}
	if c.Records == 0 {
		return nil
	}
	return r.parser.layout.unused()
}

// Read reads a whole dataset into memory, in the order of the files, and applies its limit: the records with the
// smallest ids stay, so that the choice depends on content only. The counts are right even with an error.
func Read(
	ctx context.Context, name string, ds recipe.Dataset, root string, samples fs.FS, bad *Quarantine,
) ([]*Record, Counts, error) {
	reading, err := Open(name, ds, root, samples, bad)
	if err != nil {
		return nil, Counts{}, err
	}
	var all []*Record
	for rec, err := range reading.Records(ctx) {
		if err != nil {
			return nil, reading.counts, err
		}
		all = append(all, rec)
	}
	if ds.Limit > 0 && len(all) > ds.Limit {
		all = reading.limit(all)
	}
	return all, reading.counts, nil
}

func (r *Reading) limit(all []*Record) []*Record {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return strings.Compare(all[i].ID, all[j].ID) })
	stay := order[:r.ds.Limit]
	slices.Sort(stay)
	kept := make([]*Record, len(stay))
	r.counts.Of = map[string]int{}
	for i, at := range stay {
		kept[i] = all[at]
		r.counts.Of[kept[i].Language]++
	}
	r.counts.Records, r.counts.Limited = len(kept), len(all)-len(kept)
	return kept
}

// Peek reads the first n rows of a dataset: the good records and the malformed ones.
func Peek(
	ctx context.Context, name string, ds recipe.Dataset, root string, samples fs.FS, n int,
) (good []*Record, bad []BadRecord, err error) {
	reading, err := Open(name, ds, root, samples, nil)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range reading.files {
		err := f.rows(reading.ds, func(row row) bool {
			rec, err := reading.parser.record(f.Name, row)
			if err != nil {
				bad = append(bad, BadRecord{name, f.Name, row.line, err.Error(), row.excerpt()})
			} else {
				good = append(good, rec)
			}
			n--
			return n > 0 && ctx.Err() == nil
		})
		if err != nil || n <= 0 || ctx.Err() != nil {
			return good, bad, errors.Join(err, context.Cause(ctx))
		}
	}
	return good, bad, nil
}
