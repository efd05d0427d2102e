package data

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxDepth bounds the nesting of elements in a record.
const maxDepth = 512

// readXML reads the elements named ds.Record, wherever they are, or the root element. Namespaces are ignored. Damage
// inside the root element makes one malformed record of it when the file is one record; else it is damage to the file.
func readXML(in input, yield func(row) bool) error {
	x := newXMLScanner(in.text)
	for depth := 0; ; {
		token, err := x.token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return x.broken(err)
		}
		switch t := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			if in.ds.Record != "" && t.Name.Local != in.ds.Record {
				depth++
				continue
			}
			r, err := x.record(t)
			if err != nil && (depth > 0 || !isSyntax(err)) {
				return x.broken(err)
			}
			if !yield(r) || err != nil {
				return nil
			}
		}
	}
}

func isSyntax(err error) bool {
	var syntax *xml.SyntaxError
	return errors.As(err, &syntax)
}

// An xmlScanner is a decoder that bounds what it reads for one token.
type xmlScanner struct {
	*xml.Decoder
	source *meter
}

func newXMLScanner(r io.Reader) *xmlScanner {
	m := &meter{r: r, left: maxRecord}
	x := &xmlScanner{xml.NewDecoder(m), m}
	x.Entity = xml.HTMLEntity
	// The text is decoded already, whatever encoding the document names.
	x.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	return x
}

func (x *xmlScanner) token() (xml.Token, error) {
	x.source.left = maxRecord
	return x.Token()
}

func (x *xmlScanner) line() int {
	line, _ := x.InputPos()
	return line
}

func (x *xmlScanner) broken(err error) error {
	if isSyntax(err) { // names its line
		return err
	}
	return brokenAt(x.line(), err)
}

// A meter fails when more is read than it allows.
type meter struct {
	r    io.Reader
	left int
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errLong
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}

// record reads the element that start begins, with all it holds. Of one that is too long it holds the beginning.
func (x *xmlScanner) record(start xml.StartElement) (row, error) {
	begin := x.InputOffset()
	root := &element{name: start.Name.Local}
	r := row{line: x.line(), fields: root}
	for path := []*element{root}; len(path) > 0; {
		token, err := x.token()
		if err == nil && len(path) > maxDepth {
			err = fmt.Errorf("elements are nested deeper than %d", maxDepth)
		}
		if err != nil {
			r.bad = err
			return r, err
		}
		if x.InputOffset()-begin > maxRecord {
			r.bad = errLong
		}
		path = grow(path, token, r.bad == nil)
	}
	return r, nil
}

// grow follows one token down or up the path of open elements; the innermost is the last. keep says whether to hold the
// token.
func grow(path []*element, token xml.Token, keep bool) []*element {
	inner := path[len(path)-1]
	var part *element
	switch t := token.(type) {
	case xml.StartElement:
		part = &element{name: t.Name.Local}
		path = append(path, part)
	case xml.EndElement:
		path = path[:len(path)-1]
	case xml.CharData:
		part = &element{text: string(t)}
	}
	if keep && part != nil {
		inner.parts = append(inner.parts, part)
	}
	return path
}

// An element is a node of a record: a named element with its parts, or a piece of text.
type element struct {
	name  string
	text  string
	parts []*element
}

// get finds the elements that a path such as title or metadata/title leads to: its first step is any element below the
// record, each further step a child. The name "." is the record itself. One element gives its text, several a list.
func (e *element) get(path string) (any, bool) {
	if path == "." {
		return e.flatten(), true
	}
	var found []any
	steps := strings.Split(path, "/")
	e.search(steps, func(hit *element) { found = append(found, hit.flatten()) })
	switch len(found) {
	case 0:
		return nil, false
	case 1:
		return found[0], true
	}
	return found, true
}

func (e *element) names() []string {
	seen := map[string]bool{}
	var all []string
	var walk func(*element)
	walk = func(e *element) {
		for _, p := range e.parts {
			if p.name != "" && !seen[p.name] {
				seen[p.name] = true
				all = append(all, p.name)
			}
			walk(p)
		}
	}
	walk(e)
	slices.Sort(all)
	return all
}

// search calls hit for each element that the path leads to, in document order. Below a hit it does not search on.
func (e *element) search(path []string, hit func(*element)) {
	for _, p := range e.parts {
		if p.name == path[0] {
			p.follow(path[1:], hit)
		} else {
			p.search(path, hit)
		}
	}
}

// follow calls hit for the descendants that the steps lead to, child by child.
func (e *element) follow(steps []string, hit func(*element)) {
	if len(steps) == 0 {
		hit(e)
		return
	}
	for _, p := range e.parts {
		if p.name == steps[0] {
			p.follow(steps[1:], hit)
		}
	}
}
