package data

import (
	"errors"
	"fmt"
	"io"

	"github.com/carebot-llm/carebot/host/internal/arrow"
)

// readArrow reads the rows of an Arrow IPC stream or file; a row's line is its number.
func readArrow(in input, yield func(row) bool) error {
	r, err := arrow.NewReader(in.bytes, maxRecord)
	if err != nil {
		return err
	}
	line := 0
	for {
		batch, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", line+1, err)
		}
		for i := range batch.Rows {
			line++
			if !yield(arrowRow(batch, i, line)) {
				return nil
			}
		}
	}
}

func arrowRow(batch *arrow.Batch, i, line int) row {
	fields, err := batch.Row(i)
	if errors.Is(err, arrow.ErrLarge) {
		err = errLong
	}
	return row{line: line, fields: object(fields), bad: err}
}
