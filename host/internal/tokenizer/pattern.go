package tokenizer

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/dlclark/regexp2/v2"
)

// isolated returns the splitter of a Split pre-tokenizer that keeps matches and what lies between them as pieces.
func isolated(pattern string) (splitter, error) {
	if s, ok := handwritten[pattern]; ok {
		return s, nil
	}
	return isolatedRegexp(pattern)
}

// isolatedRegexp is isolated for any pattern, by a backtracking engine: the patterns of tokenizers look ahead.
func isolatedRegexp(pattern string) (splitter, error) {
	if err := portable(pattern); err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	re, err := regexp2.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return func(text string, yield func(string)) {
		at := 0
		cut := func(end int) {
			if end > at {
				yield(text[at:end])
				at = end
			}
		}
		for _, match := range matches(re, text) {
			cut(match[0])
			cut(match[1])
		}
		cut(len(text))
	}, nil
}

func matches(re *regexp2.Regexp, text string) [][]int {
	found, err := re.FindAllStringIndex(text, -1)
	if err != nil {
		panic(fmt.Sprintf("tokenizer: a pattern without time limit failed: %v", err))
	}
	return found
}

// understood lists the syntax that means the same to the Hugging Face library's engine (Oniguruma) and to ours (.NET).
var understood = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`\\[pP]\{[A-Z][A-Za-z]*\}`,      // general categories and scripts
	`\\x\{[0-9A-Fa-f]{1,6}\}`,       // code points
	`\\[sSdDrnt]`,                   // classes and controls
	`\\[^0-9A-Za-z]`,                // escaped punctuation
	`\(\?(?:i\)|i:|:|=|!|<=|<!|>)`,  // groups and look-around
	`\(`, `\)`, `\|`, `\.`, `[?*+]`, // groups, any character, repetition
	`\{[0-9]+(?:,[0-9]*)?\}`, // counted repetition
	`\[\^?(?:\\[pP]\{[A-Z][A-Za-z]*\}|\\[sSdDrnt]|\\[^0-9A-Za-z]|[^\\\[\]&])+\]`, // sets
	`[^\\\[\]{}()|.^$?*+]`, // a character
}, "|") + `)`)

// portable refuses what the two engines read differently, such as anchors, \w, nested sets and a count made possessive.
func portable(pattern string) error {
	counted := false
	for rest := pattern; rest != ""; {
		token := understood.FindString(rest)
		if token == "" {
			return fmt.Errorf("%.8q is not understood", rest)
		}
		if token == "(" && strings.HasPrefix(rest, "(?") || counted && token == "+" {
			return fmt.Errorf("the group or possessive count at %.8q is not understood", rest)
		}
		counted = strings.HasPrefix(token, "{")
		rest = rest[len(token):]
	}
	return nil
}
