package recipe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of a file. A recipe has a few hundred nodes, a few levels deep; anchors may not blow it up.
const (
	maxFile  = 4 << 20
	maxNodes = 20_000
	maxDepth = 50
)

// separator joins the elements of a path; it cannot be typed by accident.
const separator = "\x1f"

// A path leads from the root of the tree to a value: keys, and list items as [0], [1], ...
type path []string

func (p path) key(name string) path { return append(p[:len(p):len(p)], name) }

func (p path) item(i int) path { return p.key("[" + strconv.Itoa(i) + "]") }

func (p path) id() string { return strings.Join(p, separator) }

func (p path) String() string {
	return strings.ReplaceAll(strings.Join(p, "."), ".[", "[")
}

// A place is where a key and its value are; the items of a list have the same place for both.
type place struct{ key, value Position }

// A tree is a YAML document as plain values (map[string]any, []any, string, bool, int, uint64, float64, nil,
// rejected) and their places. The root is nil when the file could not be read as a whole.
type tree struct {
	root     any
	places   map[string]place // by path.id()
	problems Problems
}

// rejected stands for a value that was reported and cannot be used.
type rejected struct{}

func (t *tree) problem(at Position, p path, format string, args ...any) {
	t.problems = append(t.problems, Problem{Position: at, Path: p.String(), Text: fmt.Sprintf(format, args...)})
}

// parseTree reads one YAML document. What cannot be represented is reported and left out.
func parseTree(file string, data []byte) *tree {
	start := Position{File: file}
	t := &tree{places: map[string]place{"": {at(file, 1, 1), at(file, 1, 1)}}}
	if len(data) > maxFile {
		t.problem(start, nil, "the file is larger than %d MiB", maxFile>>20)
		return t
	}
	var doc, next yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		t.problem(start, nil, "the file is empty")
		return t
	case err != nil:
		t.problems = append(t.problems, syntaxProblem(file, data, err))
		return t
	}
	if !errors.Is(decoder.Decode(&next), io.EOF) {
		t.problem(at(file, max(1, next.Line), max(1, next.Column)), nil,
			"a recipe is one YAML document, here begins a second")
	}
	r := reader{tree: t, file: file}
	t.root = r.value(doc.Content[0], nil, 0)
	switch {
	case r.full:
		t.root = nil
	case t.root == nil && len(t.problems) == 0:
		t.problem(start, nil, "the file is empty")
	}
	return t
}

var yamlLine = regexp.MustCompile(`line ([0-9]+): `)

// syntaxProblem turns an error of the YAML parser, which names the line in its text at best, into a problem.
func syntaxProblem(file string, data []byte, err error) Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	at := Position{File: file}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = strings.Replace(text, m[0], "", 1)
		at.Line, _ = strconv.Atoi(m[1]) // a number too large for int cannot be a line of 4 MiB
		at.Column = 1
	}
	// The parser, unlike its scanner, counts lines from 0 and leaves out the first.
	if strings.HasPrefix(text, "did not find expected") {
		at.Line, at.Column = at.Line+1, 1
	}
	if tab, ok := tabIndent(file, data); ok && tab.Line >= at.Line-1 && tab.Line <= at.Line+1 {
		return Problem{Position: tab, Text: "a tab in the indentation; YAML indents with spaces"}
	}
	return Problem{Position: at, Text: "no valid YAML: " + text}
}

// tabIndent finds the first line that is indented with a tab.
func tabIndent(file string, data []byte) (Position, bool) {
	line := 0
	for text := range bytes.Lines(data) {
		line++
		indent := len(text) - len(bytes.TrimLeft(text, " \t"))
		if tab := bytes.IndexByte(text[:indent], '\t'); tab >= 0 {
			return Position{file, line, tab + 1}, true
		}
	}
	return Position{}, false
}
