package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// CommandLine is the file name in the positions of overrides, and of recipes that a command line stands for. Such
// positions have no line, and relative paths in such places start from the working directory.
const CommandLine = "command line"

// at is a position, without line and column where there are none.
func at(file string, line, column int) Position {
	if file == CommandLine {
		return Position{File: CommandLine}
	}
	return Position{file, line, column}
}

// String is file:line:column, or the file alone where there is no line.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

func (p Position) compare(q Position) int {
	return cmp.Or(compareBool(p.File == CommandLine, q.File == CommandLine),
		cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// A Problem is one thing that is wrong with a recipe.
type Problem struct {
	Position   Position
	Path       string // such as stages.stable.learning_rate; empty for the whole file
	Text       string
	Suggestion string // the name that was probably meant, or empty
}

// String is one line: position, path, text, suggestion.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Position.String() + ": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Text)
	if p.Suggestion != "" {
		b.WriteString(", did you mean " + p.Suggestion)
	}
	return b.String()
}

// Problems is the error of a recipe that is not valid: everything that is wrong with it, in the order of the file,
// the command line's overrides last.
type Problems []Problem

// Error has one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(a.Position.compare(b.Position), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(ps)
}
