package data

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseExpr reads an expression: comparisons joined by and, or, not and parentheses; and binds tighter than or. Errors
// name the column, counted from 1.
func ParseExpr(text string) (*Expr, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", text, err)
	}
	p := &exprParser{tokens: tokens}
	root, err := p.either()
	if err == nil && p.next().kind != endToken {
		err = p.unexpected("and, or or the end")
	}
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", text, err)
	}
	return &Expr{root, strings.TrimSpace(text)}, nil
}

// ParseSelection splits a reference to records, such as rated[quality>=4], into the name of the dataset or stage and
// the condition; without brackets the condition is nil.
func ParseSelection(ref string) (source string, keep *Expr, err error) {
	source, rest, ok := strings.Cut(ref, "[")
	source = strings.TrimSpace(source)
	if source == "" {
		return "", nil, fmt.Errorf("selection %q names no dataset", ref)
	}
	if !ok {
		return source, nil, nil
	}
	text, ok := strings.CutSuffix(strings.TrimSpace(rest), "]")
	if !ok {
		return "", nil, fmt.Errorf("selection %q does not end with ]", ref)
	}
	keep, err = ParseExpr(text)
	return source, keep, err
}

type exprParser struct {
	tokens []token
	depth  int
}

func (p *exprParser) next() token { return p.tokens[0] }

// take consumes the next token if it is of the kind.
func (p *exprParser) take(kind string) bool {
	if p.next().kind != kind {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *exprParser) unexpected(wanted string) error {
	t := p.next()
	return fmt.Errorf("column %d: want %s, found %s", t.column, wanted, t.text)
}

func (p *exprParser) either() (node, error) {
	a, err := p.both()
	for err == nil && p.take("or") {
		var b node
		b, err = p.both()
		a = either{a, b}
	}
	return a, err
}

func (p *exprParser) both() (node, error) {
	a, err := p.single()
	for err == nil && p.take("and") {
		var b node
		b, err = p.single()
		a = both{a, b}
	}
	return a, err
}

// single reads a comparison, a negation or what stands in parentheses.
func (p *exprParser) single() (node, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("column %d: nested deeper than %d", p.next().column, maxNesting)
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("not"):
		a, err := p.single()
		return negated{a}, err
	case p.take("("):
		a, err := p.either()
		if err == nil && !p.take(")") {
			err = p.unexpected(")")
		}
		return a, err
	}
	return p.comparison()
}

func (p *exprParser) comparison() (node, error) {
	a, err := p.operand()
	if err != nil {
		return nil, err
	}
	operator := p.next()
	if _, ok := comparisons[operator.kind]; !ok {
		return nil, p.unexpected("a comparison such as >=")
	}
	p.take(operator.kind)
	b, err := p.operand()
	return comparison{operator.kind, a, b}, err
}

func (p *exprParser) operand() (operand, error) {
	t := p.next()
	switch {
	case p.take(numberToken):
		number, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return operand{}, fmt.Errorf("column %d: %w", t.column, err)
		}
		// Scores are float32, and x <= 0.1 should hold for a score of 0.1.
		return operand{number: float64(float32(number))}, nil
	case p.take(nameToken):
		return operand{name: t.text, quantile: math.NaN()}, nil
	case p.take(quantileToken):
		parts := tokenForms[0].form.FindStringSubmatch(t.text)
		share, err := strconv.Atoi(parts[1])
		return operand{name: parts[2], quantile: float64(share) / 100}, err
	}
	return operand{}, p.unexpected("a score, a number or a quantile such as q05(score)")
}
