package data

// A Batch is what one optimizer step, or one part of it, reads. Tokens of all sequences lie one after the other without
// padding; attention stays within a sequence. T is the number of tokens, S of sequences.
type Batch struct {
	Tokens    []int32 // [T]
	Positions []int32 // [T], from 0 in each sequence
	Offsets   []int32 // [S+1], sequence s is the tokens [Offsets[s],Offsets[s+1])
	Sequences []int32 // [S], numbers of the sequences in the plan

	Targets []int32   // [T], the token to predict, -1 where Weights is 0; next_token and dpo only
	Weights []float32 // [T], of the losses; their sum over a step is the normaliser of next_token
	Labels  []float32 // [S]; regression and classification only

	// Rows are what batch_size counts: packed sequences, records, or pairs (chosen, then rejected). Row r is the
	// sequences [Rows[r],Rows[r+1]).
	Rows []int32
}

// Split cuts the batch into micro-batches of at most rows rows, which share its memory except for their offsets.
func (b Batch) Split(rows int) []Batch {
	var parts []Batch
	for from := 0; from < len(b.Rows)-1; from += rows {
		parts = append(parts, b.part(from, min(from+rows, len(b.Rows)-1)))
	}
	return parts
}

// part is the rows [from,to).
func (b Batch) part(from, to int) Batch {
	s0, s1 := b.Rows[from], b.Rows[to]
	t0, t1 := b.Offsets[s0], b.Offsets[s1]
	p := Batch{
		Tokens: b.Tokens[t0:t1], Positions: b.Positions[t0:t1], Offsets: rebased(b.Offsets[s0 : s1+1]),
		Sequences: b.Sequences[s0:s1], Rows: rebased(b.Rows[from : to+1]),
	}
	if b.Targets != nil {
		p.Targets, p.Weights = b.Targets[t0:t1], b.Weights[t0:t1]
	}
	if b.Labels != nil {
		p.Labels = b.Labels[s0:s1]
	}
	return p
}

// rebased subtracts the first number from all.
func rebased(numbers []int32) []int32 {
	based := make([]int32, len(numbers))
	for i, n := range numbers {
		based[i] = n - numbers[0]
	}
	return based
}

// add appends a sequence; the row it belongs to is open.
func (b *Batch) add(s *store, number int32, shift, labelled bool) {
	q := s.sequences[number]
	end := q.from + int(q.length)
	b.Tokens = append(b.Tokens, s.tokens[q.from:end]...)
	for i := range q.length {
		b.Positions = append(b.Positions, i)
	}
	b.Offsets = append(b.Offsets, int32(len(b.Tokens)))
	b.Sequences = append(b.Sequences, number)
	if labelled {
		b.Labels = append(b.Labels, q.label)
	}
	if !shift {
		return
	}
	for i := q.from + 1; i <= end; i++ {
		target, weight := int32(-1), float32(0)
		if s.learned[i] {
			target, weight = s.tokens[i], 1
		}
		b.Targets = append(b.Targets, target)
		b.Weights = append(b.Weights, weight)
	}
}
