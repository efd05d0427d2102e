package serve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/carebot-llm/carebot/host/internal/model"
)

// Bounds of what one request may ask for.
const (
	mostChoices = 16
	mostPrompts = 256
	mostStops   = 16
	mostTop     = 20
)

// A sampling is how answers are drawn and where they end, as requests say it.
type sampling struct {
	model.Sequence        // the settings alone
	choices        int    // of each prompt
	maxTokens      int    // 0 is as many as there is room for
	seed           uint64 // random unless the request gives one
	stops          []string
	stopIDs        []int32
}

// sampling takes the parameters that chats and completions share.
func (p *parameters) sampling() *sampling {
	s := &sampling{choices: 1, seed: rand.Uint64()}
	s.Temperature, s.TopP = 1, 1
	number(p, "temperature", &s.Temperature, 0, 2)
	number(p, "top_p", &s.TopP, 0, 1)
	number(p, "top_k", &s.TopK, -1, 1<<30)
	s.TopK = max(s.TopK, 0)
	number(p, "n", &s.choices, 1, mostChoices)
	p.take("seed", (*seed)(&s.seed))
	p.take("stop", (*oneOrMore[string])(&s.stops))
	p.take("stop_token_ids", &s.stopIDs)
	if len(s.stops)+len(s.stopIDs) > mostStops {
		p.refuse("stop", "more than %d", mostStops)
	}
	for _, stop := range s.stops {
		if stop == "" {
			p.refuse("stop", "nothing is no stop")
		}
	}
	p.only("frequency_penalty", "0")
	p.only("presence_penalty", "0")
	p.only("logit_bias", "{}")
	return s
}

// A seed is any whole number of 64 bits.
type seed uint64

func (s *seed) UnmarshalJSON(raw []byte) error {
	var signed int64
	if _, err := fmt.Sscan(string(raw), &signed); err == nil && fmt.Sprint(signed) == string(raw) {
		*s = seed(signed)
		return nil
	}
	var unsigned uint64
	if _, err := fmt.Sscan(string(raw), &unsigned); err != nil || fmt.Sprint(unsigned) != string(raw) {
		return fmt.Errorf("%s is no seed", raw)
	}
	*s = seed(unsigned)
	return nil
}

// An ask is a request's prompts on their way through a batcher: the choices of the first prompt, then those of the
// next.
type ask struct {
	*sampling
	model    *served
	prompts  [][]int32
	maximal  []int // new tokens of each prompt
	grows    []*growing
	arrivals arrivals
	begun    time.Time
}

// ask checks that the prompts fit the model.
func (s *Server) ask(m *served, prompts [][]int32, o *sampling, param string) (*ask, error) {
	a := &ask{sampling: o, model: m, prompts: prompts, begun: time.Now()}
	a.arrivals.news = make(chan struct{}, 1)
	for _, ids := range prompts {
		left := m.room - len(ids)
		if len(ids) == 0 {
			return nil, wrong(param, "is empty")
		}
		if left < max(1, o.maxTokens) {
			f := wrong(param, "has %d tokens and asks for %d; the model has room for %d",
				len(ids), max(1, o.maxTokens), m.room)
			f.Code = "context_length_exceeded"
			return nil, f
		}
		if o.maxTokens > 0 {
			left = o.maxTokens
		}
		a.maximal = append(a.maximal, left)
	}
	return a, nil
}

// An arrival is a token of a choice, or the error that ends the ask.
type arrival struct {
	choice int
	token  model.Token
	err    error
}

// arrivals wait for the request, which must not hold the engine up.
type arrivals struct {
	mu   sync.Mutex
	all  []arrival
	news chan struct{}
}

func (q *arrivals) put(a arrival) {
	q.mu.Lock()
	q.all = append(q.all, a)
	q.mu.Unlock()
	select {
	case q.news <- struct{}{}:
	default:
	}
}

func (q *arrivals) get() []arrival {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.all
	q.all = nil
	return all
}

// start hands the sequences of all choices to the batcher. Stop ends them.
func (a *ask) start() {
	for i := range len(a.prompts) * a.choices {
		s := a.sampling.Sequence
		s.Prompt, s.MaxTokens = a.prompts[i/a.choices], a.maximal[i/a.choices]
		s.Stop = append(a.model.asked.Ends(), a.stopIDs...)
		s.Seed, s.Number = a.seed, i
		s.Each = func(t model.Token) bool {
			a.arrivals.put(arrival{choice: i, token: t})
			return true
		}
		a.grows = append(a.grows, &growing{&s, func(err error) { a.arrivals.put(arrival{err: err}) }})
	}
	for _, g := range a.grows {
		a.model.grows.add(g)
	}
}

func (a *ask) stop() {
	for _, g := range a.grows {
		a.model.grows.remove(g)
	}
}

// run calls each with the tokens as they come, until all choices have ended. A choice ends when each says so.
func (a *ask) run(ctx context.Context, each func(choice int, t model.Token) (ended bool, err error)) error {
	a.start()
	defer a.stop()
	ended, begun := make([]bool, len(a.grows)), make([]bool, len(a.grows))
	for _, ids := range a.prompts {
		a.model.grows.metrics.prompts.Add(float64(len(ids)))
	}
	for left := len(ended); left > 0; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-a.arrivals.news:
		}
		for _, one := range a.arrivals.get() {
			if one.err != nil {
				return one.err
			}
			if ended[one.choice] {
				continue
			}
			if a.model.grows.metrics.tokens.Inc(); !begun[one.choice] {
				begun[one.choice] = true
				a.model.grows.metrics.first.Observe(time.Since(a.begun).Seconds())
			}
			over, err := each(one.choice, one.token)
			if err != nil {
				return err
			}
			if over {
				ended[one.choice] = true
				a.model.grows.remove(a.grows[one.choice])
				left--
			}
		}
	}
	return nil
}

// usage counts tokens as OpenAI does: a prompt once for all its choices.
type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

func (a *ask) usage(answers []*answer) *usage {
	u := &usage{}
	for _, ids := range a.prompts {
		u.Prompt += len(ids)
	}
	for _, one := range answers {
		u.Completion += one.count
	}
	u.Total = u.Prompt + u.Completion
	return u
}
