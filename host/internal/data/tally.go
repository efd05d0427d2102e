package data

import "fmt"

// A Tally says where the tokens of one pass over records go: In = Trained + Masked + Cut + Dropped.
type Tally struct {
	Records int   `json:"records"`
	In      int64 `json:"in"`
	Trained int64 `json:"trained"` // carry loss; with a regression, classification or reward head: are read
	Masked  int64 `json:"masked"`  // are read but carry no loss: prompts, and the first token, which nothing predicts
	Cut     int64 `json:"cut"`     // beyond sequence_len
	Dropped int64 `json:"dropped"` // with their record, or a part of it that has no token to train

	first int64 // of Masked, those that nothing predicts
}

func (t *Tally) add(o Tally) {
	t.Records += o.Records
	t.In += o.In
	t.Trained += o.Trained
	t.Masked += o.Masked
	t.Cut += o.Cut
	t.Dropped += o.Dropped
	t.first += o.first
}

// check holds the tally to its equation.
func (t Tally) check() error {
	if t.In != t.Trained+t.Masked+t.Cut+t.Dropped {
		return fmt.Errorf("%d tokens in, but %d trained + %d masked + %d cut + %d dropped",
			t.In, t.Trained, t.Masked, t.Cut, t.Dropped)
	}
	return nil
}

// checkMask finds masks that teach nothing, or mask nothing, where only the assistant's turns shall be learned.
func (t Tally) checkMask() error {
	switch {
	case t.Trained == 0:
		return fmt.Errorf("learn is assistant, but none of the %d tokens of the %d records would be trained",
			t.In, t.Records)
	case t.Masked == t.first:
		return fmt.Errorf("learn is assistant, but all of the %d tokens that are read would be trained", t.Trained)
	}
	return nil
}
