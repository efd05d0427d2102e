package data

import (
	"regexp"
	"strings"
)

// Element names that say how text is laid out, from CNXML, JATS, DocBook and HTML. Of other elements the structure
// tells: what stands beside text is part of a sentence, what stands beside elements only is a paragraph.
var (
	// blocks begin a paragraph even inside one.
	blocks = nameSet("p para title section sec list item list-item def-list ul ol li table tr row figure fig note " +
		"caption quote disp-quote blockquote div equation disp-formula exercise problem solution br h1 h2 h3 h4 h5 h6")
	// sentences hold parts of sentences even when those are all elements.
	sentences = nameSet("p para title label row tr td th entry h1 h2 h3 h4 h5 h6")
	// cells are kept apart within a paragraph.
	cells = nameSet("td th entry label")
)

func nameSet(names string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		set[name] = true
	}
	return set
}

// flatten is the text of an element: paragraphs apart by blank lines, white space within them normalised.
func (e *element) flatten() string {
	var f flattener
	f.parts(e, false)
	f.end()
	return strings.Join(f.paragraphs, "\n\n")
}

// A flattener gathers paragraphs.
type flattener struct {
	paragraphs []string
	current    strings.Builder
}

// parts adds what e holds; inline says that e itself is part of a sentence.
func (f *flattener) parts(e *element, inline bool) {
	inline = inline && !blocks[e.name] || e.mixed()
	for _, p := range e.parts {
		if p.name == "" {
			f.add(p.text)
			continue
		}
		block := blocks[p.name] || !inline
		if block {
			f.end()
		}
		f.parts(p, inline)
		if block {
			f.end()
		} else if cells[p.name] {
			f.current.WriteByte(' ')
		}
	}
}

// mixed reports whether the parts of e are parts of sentences.
func (e *element) mixed() bool {
	if sentences[e.name] {
		return true
	}
	for _, p := range e.parts {
		if p.name == "" && strings.TrimSpace(p.text) != "" {
			return true
		}
	}
	return false
}

var blankLine = regexp.MustCompile(`\n[ \t\r]*\n`)

// add continues the current paragraph; blank lines in text end one, too.
func (f *flattener) add(text string) {
	for i, part := range blankLine.Split(text, -1) {
		if i > 0 {
			f.end()
		}
		f.current.WriteString(part)
	}
}

func (f *flattener) end() {
	if text := strings.Join(strings.Fields(f.current.String()), " "); text != "" {
		f.paragraphs = append(f.paragraphs, text)
	}
	f.current.Reset()
}
