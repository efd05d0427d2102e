package judge

import (
	"errors"
	"sync"
)

// A budget is what may still be asked. Requests that are under way when the tokens run out are still answered.
type budget struct {
	mu               sync.Mutex
	requests, tokens int
}

// take books an attempt.
func (b *budget) take() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.requests <= 0:
		return errors.New("the spend cap is reached: max_requests are made")
	case b.tokens <= 0:
		return errors.New("the spend cap is reached: max_tokens are used")
	}
	b.requests--
	return nil
}

func (b *budget) spend(tokens int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens -= tokens
}
