package run

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// tokenCounts are the different numbers of tokens of the micro-batches of the steps, rising.
func (pr *profile) tokenCounts() []int {
	var counts []int
	size := cmp.Or(pr.spec.MicroBatchSize, pr.spec.BatchSize)
	for _, s := range pr.steps {
		for _, micro := range pr.plan.Batch(s.batch).Split(size) {
			counts = append(counts, len(micro.Tokens))
		}
	}
	slices.Sort(counts)
	return slices.Compact(counts)
}

// shape is a call's shape with T for the tokens of a micro-batch where these vary: calls that differ in nothing else are
// one row of the table.
func (pr *profile) shape(of string) string {
	if len(pr.counts) < 2 {
		return of
	}
	sizes, form, _ := strings.Cut(of, " ")
	parts := strings.Split(sizes, "x")
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if _, is := slices.BinarySearch(pr.counts, n); err == nil && is {
			parts[i] = "T"
		}
	}
	return strings.TrimSpace(strings.Join(parts, "x") + " " + form)
}

func (pr *profile) title() string {
	text := fmt.Sprintf("A step of stage %s, kernel by kernel", pr.stage)
	if n := len(pr.counts); n > 1 {
		text += fmt.Sprintf("; T is %s to %s tokens", count(int64(pr.counts[0])), count(int64(pr.counts[n-1])))
	}
	return text
}
