package data

// A PlanReport says where the tokens of a train stage come from and go to. The tallies are those of one pass over the
// records; Seen is what the stage reads.
type PlanReport struct {
	Tally
	Rows        int     `json:"rows"`
	Steps       int     `json:"steps"`
	SequenceLen int     `json:"sequence_len"`
	Seen        int64   `json:"seen"` // tokens of all steps
	Fill        float64 `json:"fill"` // share of the places of the rows (a pair has two of sequence_len) that is used

	Cells     []CellReport  `json:"cells"` // of each source and language, in the order of the data
	Sources   []ShareReport `json:"sources"`
	Languages []ShareReport `json:"languages"`
}

// A CellReport is about the records of one source in one language.
type CellReport struct {
	Source   string `json:"source"`
	Language string `json:"language"`
	Tally
	Seen     int64   `json:"seen"`
	Passes   float64 `json:"passes"`   // how often the stage reads the tokens that are left of it
	Asked    float64 `json:"asked"`    // share of the tokens; 0 where no shares of languages are wanted
	Achieved float64 `json:"achieved"` // share of Seen
}

// A ShareReport compares a wanted share of the tokens with that of Seen.
type ShareReport struct {
	Name     string  `json:"name"`
	Asked    float64 `json:"asked"`
	Achieved float64 `json:"achieved"`
}

// cell returns the number of the cell of a source and language.
func (r *PlanReport) cell(source, language string) int {
	for i := len(r.Cells) - 1; i >= 0; i-- {
		if r.Cells[i].Source == source && r.Cells[i].Language == language {
			return i
		}
	}
	r.Cells = append(r.Cells, CellReport{Source: source, Language: language})
	return len(r.Cells) - 1
}

// fill computes all figures but the cells' tallies.
func (r *PlanReport) fill(b *planBuilder) {
	r.Rows, r.Steps, r.SequenceLen = b.rows.len(), b.Steps(), b.width
	for _, number := range b.rows.sequences {
		s := b.sequences[number]
		r.Cells[b.origins[s.origin].cell].Seen += int64(s.length)
		r.Seen += int64(s.length)
	}
	places := r.Rows
	if pairs(b.objective) {
		places *= 2
	}
	r.Fill = float64(r.Seen) / (float64(places) * float64(r.SequenceLen))
	seen := map[string]int64{}
	for i := range r.Cells {
		c := &r.Cells[i]
		r.Tally.add(c.Tally)
		c.Achieved = float64(c.Seen) / float64(r.Seen)
		if m := b.mixed[[2]string{c.Source, c.Language}]; m != nil {
			c.Asked = m.share
		}
		if read := c.Trained + c.Masked - c.first; read > 0 {
			c.Passes = float64(c.Seen) / float64(read)
		}
		seen["source "+c.Source] += c.Seen
		seen["language "+c.Language] += c.Seen
	}
	r.Sources = b.refs.report(func(name string) int64 { return seen["source "+name] }, r.Seen)
	r.Languages = b.languages.report(func(name string) int64 { return seen["language "+name] }, r.Seen)
}

func (s shares) report(seen func(name string) int64, total int64) []ShareReport {
	var all []ShareReport
	for i, name := range s.names {
		all = append(all, ShareReport{name, s.part[i], float64(seen(name)) / float64(total)})
	}
	return all
}
