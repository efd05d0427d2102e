package serve

import (
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// An answer is the text of a choice as far as it has come. Text that may be the beginning of a stop string waits.
type answer struct {
	tok    *tokenizer.Tokenizer
	text   *tokenizer.Stream
	stops  []string
	held   string // may begin a stop string
	told   int    // characters before the pieces that come
	count  int    // of tokens
	end    model.End
	tokens []model.Token // with log-probabilities, since the last piece
}

func newAnswer(tok *tokenizer.Tokenizer, before []int32, stops []string) *answer {
	return &answer{tok: tok, text: tok.Stream(before), stops: stops}
}

// add takes a token and returns the text that is now sure. At the end, the answer's end says what ended it.
func (a *answer) add(t model.Token) string {
	a.count++
	a.end = t.End
	if t.End != model.Stopped {
		a.tokens = append(a.tokens, t)
		a.held += a.text.Add(t.ID)
	}
	if t.End != model.NotEnded {
		a.held += a.text.Rest()
	}
	if at := a.firstStop(); at >= 0 {
		piece := a.held[:at]
		a.held, a.end = "", model.Stopped
		return piece
	}
	keep := a.begunStop()
	if a.end != model.NotEnded {
		keep = 0
	}
	piece := a.held[:len(a.held)-keep]
	a.held = a.held[len(piece):]
	return piece
}

// firstStop is where the first stop string begins in the text that waits, or -1.
func (a *answer) firstStop() int {
	first := -1
	for _, stop := range a.stops {
		if at := strings.Index(a.held, stop); at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	return first
}

// begunStop is how many bytes at the end of the text may be the beginning of a stop string.
func (a *answer) begunStop() int {
	longest := 0
	for _, stop := range a.stops {
		for n := min(len(stop)-1, len(a.held)); n > longest; n-- {
			if strings.HasSuffix(a.held, stop[:n]) {
				longest = n
			}
		}
	}
	return longest
}

// news are the tokens since it was last called.
func (a *answer) news() []model.Token {
	tokens := a.tokens
	a.tokens = nil
	return tokens
}

// A tokenChance is a token with its log-probability, as chats tell it.
type tokenChance struct {
	Token   string  `json:"token"`
	LogProb float64 `json:"logprob"`
	Bytes   []int   `json:"bytes"` // null where the token is no whole characters
}

// A tokenChances is a token with those that might have come.
type tokenChances struct {
	tokenChance
	Top []tokenChance `json:"top_logprobs"`
}

func (a *answer) chance(id int32, logProb float64) tokenChance {
	c := tokenChance{Token: a.tok.DecodeAll([]int32{id}), LogProb: max(logProb, leastLogProb)}
	if !strings.Contains(c.Token, "\uFFFD") {
		for _, b := range []byte(c.Token) {
			c.Bytes = append(c.Bytes, int(b))
		}
	}
	return c
}

// leastLogProb stands for minus infinity, which JSON can't write.
const leastLogProb = -9999

func (a *answer) chances(tokens []model.Token) []tokenChances {
	all := make([]tokenChances, len(tokens))
	for i, t := range tokens {
		all[i] = tokenChances{a.chance(t.ID, t.LogProb), make([]tokenChance, len(t.Top))}
		for j, one := range t.Top {
			all[i].Top[j] = a.chance(one.ID, one.LogProb)
		}
	}
	return all
}

// A textChances is what completions tell of tokens.
type textChances struct {
	Tokens  []string             `json:"tokens"`
	Chances []float64            `json:"token_logprobs"`
	Top     []map[string]float64 `json:"top_logprobs"`
	Offsets []int                `json:"text_offset"`
}

func (a *answer) textChances(tokens []model.Token) *textChances {
	c := &textChances{Tokens: []string{}, Chances: []float64{}, Offsets: []int{}}
	for i, one := range a.chances(tokens) {
		c.Tokens, c.Chances = append(c.Tokens, one.Token), append(c.Chances, one.LogProb)
		c.Offsets = append(c.Offsets, a.told)
		a.told += len([]rune(one.Token))
		top := map[string]float64{}
		for j, alternative := range one.Top {
			if alternative.Bytes == nil { // several may look alike
				alternative.Token = fmt.Sprintf("token_id:%d", tokens[i].Top[j].ID)
			}
			top[alternative.Token] = alternative.LogProb
		}
		if len(top) > 0 {
			c.Top = append(c.Top, top)
		}
	}
	return c
}
