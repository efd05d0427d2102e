package plugin

import (
	"fmt"
	"strings"
	"sync"
)

// remembered is how many faults are told when a plugin is given up.
const remembered = 3

// A faultCount counts the faulty records of a plugin's life. A plugin with more than its limit is not asked again.
type faultCount struct {
	limit int

	mu   sync.Mutex
	n    int
	last []string
}

// add counts one and returns an error when there are too many.
func (f *faultCount) add(record, why string) error {
	f.mu.Lock()
	f.n++
	f.last = append(f.last[max(len(f.last)-remembered+1, 0):], record+": "+why)
	f.mu.Unlock()
	return f.exceeded()
}

// exceeded returns the error of a plugin with too many faults, nil while it is within its limit.
func (f *faultCount) exceeded() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n <= f.limit {
		return nil
	}
	return fmt.Errorf("%w: %d, more than the limit of %d, so it is not asked again; the last: %s",
		ErrTooManyFaults, f.n, f.limit, strings.Join(f.last, "; "))
}
