package data

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
)

// A speaker is the prefix of a turn in a transcript, and who speaks after it.
type speaker struct {
	prefix string
	role   sdk.Role
}

// newSpeakers orders the prefixes so that the longest comes first.
func newSpeakers(prefixes map[string]string) ([]speaker, error) {
	var all []speaker
	for _, prefix := range slices.Sorted(maps.Keys(prefixes)) {
		role := sdk.Role(prefixes[prefix])
		switch role {
		case sdk.RoleUser, sdk.RoleAssistant, sdk.RoleSystem:
		default:
			return nil, fmt.Errorf("speakers: role %q of %q is none of user, assistant, system", role, prefix)
		}
		if strings.TrimSpace(prefix) == "" {
			return nil, fmt.Errorf("speakers: the prefix of the %s is blank", role)
		}
		all = append(all, speaker{strings.TrimSpace(prefix), role})
	}
	slices.SortStableFunc(all, func(a, b speaker) int { return cmp.Compare(len(b.prefix), len(a.prefix)) })
	return all, nil
}

// buildTranscript reads turns out of one text, or of a list of them.
func (p *parser) buildTranscript(f fields, rec *Record) error {
	text, err := p.layout.need(f, "text")
	if err != nil {
		return err
	}
	turns, err := p.transcript(text)
	if err != nil {
		return err
	}
	system, err := p.system(f)
	if err != nil {
		return err
	}
	return rec.setTurns(append(system, turns...))
}

// transcript splits text at the lines that begin with a speaker's prefix. Turns of one role that follow each other are
// joined; a turn of the assistant at the beginning stays where it is, no turn of the user is invented before it.
func (p *parser) transcript(text string) ([]sdk.Turn, error) {
	var turns []sdk.Turn
	for i, line := range strings.Split(text, "\n") {
		role, said, ok := p.spoken(line)
		switch last := len(turns) - 1; {
		case !ok && last < 0 && strings.TrimSpace(line) == "":
		case !ok && last < 0:
			return nil, fmt.Errorf("line %d of the transcript has no speaker", i+1)
		case !ok:
			turns[last].Text += "\n" + line
		default:
			turns = append(turns, sdk.Turn{Role: role, Text: said})
		}
	}
	return joinTurns(turns), nil
}

func (p *parser) spoken(line string) (role sdk.Role, said string, ok bool) {
	line = strings.TrimLeft(line, " \t")
	for _, s := range p.speakers {
		if said, ok = strings.CutPrefix(line, s.prefix); ok {
			return s.role, strings.TrimSpace(said), true
		}
	}
	return "", "", false
}

// joinTurns joins neighbours of one role, and leaves out turns in which nothing is said.
func joinTurns(turns []sdk.Turn) []sdk.Turn {
	joined := turns[:0]
	for _, t := range turns {
		t.Text = strings.TrimSpace(t.Text)
		last := len(joined) - 1
		switch {
		case t.Text == "":
		case last >= 0 && joined[last].Role == t.Role:
			joined[last].Text += "\n" + t.Text
		default:
			joined = append(joined, t)
		}
	}
	return joined
}
