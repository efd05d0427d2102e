package run

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// shownTokens bounds the tokens that are printed of a sequence.
const shownTokens = 1000

// A tokenStyle is how tokens are told apart: what stands around those that are learned and those that are only read.
type tokenStyle struct{ learned, endLearned, read, endRead string }

var (
	plainStyle  = tokenStyle{learned: "[", endLearned: "]"}
	colourStyle = tokenStyle{learned: "\x1b[1;32m", endLearned: "\x1b[0m", read: "\x1b[90m", endRead: "\x1b[0m"}
)

// An exampleWriter prints examples.
type exampleWriter struct {
	out   io.Writer
	tok   *tokenizer.Tokenizer
	ids   bool // print the numbers of the tokens too
	style tokenStyle
}

func (w exampleWriter) example(source string, e data.Example) error {
	out := bufio.NewWriter(w.out)
	fmt.Fprintf(out, "%s  %s:%d  %s", source, e.Record.File, e.Record.Line, e.Record.Kind())
	if who := roles(e.Record); who != "" {
		fmt.Fprintf(out, ": %s", who)
	}
	fmt.Fprintln(out)
	for i, p := range e.Parts {
		if len(e.Parts) == 2 {
			fmt.Fprintf(out, "%s: ", [2]string{"chosen", "rejected"}[i])
		}
		fmt.Fprintln(out, measure(e, p))
		w.tokens(out, p)
	}
	fmt.Fprintln(out)
	return out.Flush()
}

// measure says how much of a part is learned.
func measure(e data.Example, p data.ExamplePart) string {
	text := fmt.Sprintf("%d tokens", len(p.Tokens))
	switch {
	case e.Absent:
		return text + ", takes no part"
	case p.Learned == nil && len(e.Parts) == 1:
		return fmt.Sprintf("%s, label %v", text, e.Label)
	case p.Learned == nil:
		return text
	}
	learned := 0
	for i := range p.Tokens {
		if p.Learns(i) {
			learned++
		}
	}
	return fmt.Sprintf("%s, %d learned", text, learned)
}

// tokens prints a part with bars between its tokens, stretch by stretch. A line ends where the text has a line break.
func (w exampleWriter) tokens(out *bufio.Writer, p data.ExamplePart) {
	shown := min(len(p.Tokens), shownTokens)
	between := "  "
	for from := 0; from < shown; {
		to, learned, breaks := from, p.Learns(from), false
		var stretch []string
		for to < shown && p.Learns(to) == learned && !breaks {
			text := w.text(p.Tokens, to)
			stretch = append(stretch, w.token(p.Tokens[to], text))
			breaks = strings.Contains(text, "\n")
			to++
		}
		out.WriteString(between + w.styled(strings.Join(stretch, "|"), learned))
		if between = "|"; breaks || to == shown {
			out.WriteString("\n")
			between = "  "
		}
		from = to
	}
	if rest := len(p.Tokens) - shown; rest > 0 {
		fmt.Fprintf(out, "  ... %d tokens more\n", rest)
	}
}

func (w exampleWriter) styled(text string, learned bool) string {
	if learned {
		return w.style.learned + text + w.style.endLearned
	}
	return w.style.read + text + w.style.endRead
}

// token is a token as it is printed: nothing in a record reaches the terminal as a control character.
func (w exampleWriter) token(id int32, text string) string {
	quoted := strconv.Quote(text)
	quoted = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	if w.ids {
		quoted += ":" + strconv.Itoa(int(id))
	}
	return quoted
}

// text is what a token adds to the text of the one before it.
func (w exampleWriter) text(ids []int32, i int) string {
	if i == 0 {
		return w.tok.DecodeAll(ids[:1])
	}
	before := w.tok.DecodeAll(ids[i-1 : i])
	both := w.tok.DecodeAll(ids[i-1 : i+1])
	if added, ok := strings.CutPrefix(both, before); ok {
		return added
	}
	return w.tok.DecodeAll(ids[i : i+1])
}
