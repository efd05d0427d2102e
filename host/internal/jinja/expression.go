package jinja

import "slices"

// tuple parses an expression, or several with commas between them. Without conditions an "if" ends it.
func (p *parser) tuple(conditions bool, end ...string) expr {
	one := p.or
	if conditions {
		one = p.expression
	}
	return p.tupleOf(one, false, end...)
}

func (p *parser) tupleOf(one func() expr, parenthesised bool, end ...string) expr {
	var items []node
	tuple := false
	for {
		if len(items) > 0 {
			p.expect(",")
		}
		if t := p.now(); t.kind == "}}" || t.kind == "%}" || t.kind == ")" || t.isName(end...) {
			break
		}
		items = append(items, one())
		if p.now().kind != "," {
			break
		}
		tuple = true
	}
	if !tuple && len(items) == 1 {
		return items[0].(expr)
	}
	if !tuple && !parenthesised {
		p.fail("an expression is expected, not %s", p.now())
	}
	return &tupleExpr{items}
}

func (p *parser) expression() expr {
	defer p.deeper()()
	line := p.now().line
	e := p.or()
	for n := 0; p.skipName("if"); n++ {
		p.chain(n)
		c := &conditional{test: p.or(), then: e, line: line}
		if p.skipName("else") {
			c.otherwise = p.expression()
		}
		e, line = c, p.now().line
	}
	return e
}

// chain bounds the nth part of an expression that nests to the left.
func (p *parser) chain(n int) {
	if n > maxNested {
		p.fail("an expression has more than %d parts in a row", maxNested)
	}
}

func (p *parser) or() expr {
	left := p.and()
	for n := 0; p.skipName("or"); n++ {
		p.chain(n)
		left = &logical{true, left, p.and()}
	}
	return left
}

func (p *parser) and() expr {
	left := p.not()
	for n := 0; p.skipName("and"); n++ {
		p.chain(n)
		left = &logical{false, left, p.not()}
	}
	return left
}

func (p *parser) not() expr {
	defer p.deeper()()
	if p.skipName("not") {
		return &not{p.not()}
	}
	return p.compare()
}

func (p *parser) compare() expr {
	c := &comparison{line: p.now().line, first: p.sum()}
	for {
		switch t := p.now(); {
		case t.kind == "==" || t.kind == "!=" || t.kind == "<" || t.kind == "<=" || t.kind == ">" || t.kind == ">=":
			p.next()
			c.ops = append(c.ops, t.kind)
		case t.isName("in"):
			p.next()
			c.ops = append(c.ops, "in")
		case t.isName("not") && p.ahead().isName("in"):
			p.next()
			p.next()
			c.ops = append(c.ops, "notin")
		default:
			if c.ops == nil {
				return c.first
			}
			return c
		}
		c.rest = append(c.rest, p.sum())
	}
}

// operation parses operands with operators of one rank between them.
func (p *parser) operation(operand func() expr, operators ...string) expr {
	left := operand()
	for n := 0; ; n++ {
		p.chain(n)
		t := p.now()
		if !slices.Contains(operators, t.kind) {
			return left
		}
		p.next()
		left = &binary{t.kind, left, operand(), t.line}
	}
}

func (p *parser) sum() expr     { return p.operation(p.concat, "+", "-") }
func (p *parser) product() expr { return p.operation(p.power, "*", "/", "//", "%") }
func (p *parser) power() expr   { return p.operation(func() expr { return p.unary(true) }, "**") }

func (p *parser) concat() expr {
	parts := []node{p.product()}
	for p.skip("~") {
		parts = append(parts, p.product())
	}
	if len(parts) == 1 {
		return parts[0].(expr)
	}
	return &concat{parts}
}

// unary parses an operand with its sign, its subscripts and calls and, where filtered, its filters and tests.
func (p *parser) unary(filtered bool) expr {
	defer p.deeper()()
	var e expr
	if t := p.now(); t.kind == "-" || t.kind == "+" {
		p.next()
		e = &unary{t.kind, p.unary(false), t.line}
	} else {
		e = p.primary(false)
	}
	e = p.postfix(e)
	if filtered {
		e = p.filtered(e)
	}
	return e
}

var constants = map[string]any{
	"true": true, "True": true, "false": false, "False": false, "none": nil, "None": nil,
}

func (p *parser) primary(spaces bool) expr {
	defer p.deeper()()
	t := p.next()
	switch t.kind {
	case "name":
		if v, ok := constants[t.text]; ok {
			return &constant{v}
		}
		if spaces && p.skip(".") {
			return &nsName{name: t.text, attr: p.expect("name").text, line: t.line}
		}
		return &name{name: t.text, line: t.line}
	case "string":
		text := t.text
		for p.now().kind == "string" {
			text += p.next().text
		}
		return &constant{text}
	case "int", "float":
		return &constant{t.value}
	case "(":
		e := p.tupleOf(p.expression, true)
		p.expect(")")
		return e
	case "[":
		return &listExpr{p.list()}
	case "{":
		return p.dict(t.line)
	}
	fail(t.line, "an expression is expected, not %s", t)
	return nil
}

func (p *parser) list() []node {
	var items []node
	for !p.skip("]") {
		if len(items) > 0 {
			p.expect(",")
			if p.skip("]") {
				break
			}
		}
		items = append(items, p.expression())
	}
	return items
}

func (p *parser) dict(line int) expr {
	d := &dictExpr{line: line}
	for !p.skip("}") {
		if len(d.keys) > 0 {
			p.expect(",")
			if p.skip("}") {
				break
			}
		}
		d.keys = append(d.keys, p.expression())
		p.expect(":")
		d.values = append(d.values, p.expression())
	}
	return d
}

func (p *parser) postfix(e expr) expr {
	for n := 0; ; n++ {
		p.chain(n)
		switch t := p.now(); t.kind {
		case ".", "[":
			e = p.subscript(e)
		case "(":
			e = &call{e, p.arguments(), t.line}
		default:
			return e
		}
	}
}

func (p *parser) filtered(e expr) expr {
	for n := 0; ; n++ {
		p.chain(n)
		switch t := p.now(); {
		case t.kind == "|":
			e = p.filters(e, false)
		case t.isName("is"):
			e = p.test(e)
		case t.kind == "(":
			e = &call{e, p.arguments(), t.line}
		default:
			return e
		}
	}
}

func (p *parser) subscript(of expr) expr {
	t := p.next()
	if t.kind == "." {
		switch attr := p.next(); attr.kind {
		case "name":
			checkAttribute(attr.text, attr.line)
			return &attribute{of, attr.text, t.line}
		case "int":
			return &subscript{of, &constant{attr.value}, t.line}
		default:
			fail(attr.line, "a name or number is expected, not %s", attr)
		}
	}
	if s := p.slice(of, t.line); s != nil {
		p.expect("]")
		return s
	}
	index := p.expression()
	if s := p.sliceFrom(of, index, t.line); s != nil {
		p.expect("]")
		return s
	}
	if p.now().kind == "," {
		unsupported(t.line, "a subscript of several parts")
	}
	p.expect("]")
	return &subscript{of, index, t.line}
}

// checkAttribute refuses what leads to Python's own internals.
func checkAttribute(name string, line int) {
	if len(name) > 1 && name[:2] == "__" {
		unsupported(line, "the attribute %s", name)
	}
}

// slice parses a slice that has no start.
func (p *parser) slice(of expr, line int) expr {
	if p.now().kind != ":" {
		return nil
	}
	return p.sliceFrom(of, nil, line)
}

// sliceFrom parses the rest of a slice; nil if there is no colon.
func (p *parser) sliceFrom(of, start expr, line int) expr {
	if !p.skip(":") {
		return nil
	}
	s := &sliceExpr{of: of, start: start, line: line}
	if k := p.now().kind; k != ":" && k != "]" && k != "," {
		s.stop = p.expression()
	}
	if p.skip(":") {
		if k := p.now().kind; k != "]" && k != "," {
			s.step = p.expression()
		}
	}
	if p.now().kind == "," {
		unsupported(line, "a subscript of several parts")
	}
	return s
}

// arguments parses the arguments of a call with their brackets.
func (p *parser) arguments() (a arguments) {
	line := p.expect("(").line
	for first := true; !p.skip(")"); first = false {
		if !first {
			p.expect(",")
			if p.skip(")") {
				break
			}
		}
		if !p.argument(&a) {
			fail(line, "the arguments of a call are in the wrong order")
		}
	}
	return a
}

// argument parses one argument; ok is false if it may not stand after those before it.
func (p *parser) argument(a *arguments) (ok bool) {
	switch t := p.now(); {
	case t.kind == "*":
		p.next()
		ok = a.rest == nil && a.mapping == nil
		a.rest = p.expression()
	case t.kind == "**":
		p.next()
		ok = a.mapping == nil
		a.mapping = p.expression()
	case t.kind == "name" && p.ahead().kind == "=":
		p.next()
		p.next()
		ok = a.mapping == nil && !slices.Contains(a.names, t.text)
		a.names, a.named = append(a.names, t.text), append(a.named, p.expression())
	default:
		ok = a.rest == nil && a.mapping == nil && a.names == nil
		a.positional = append(a.positional, p.expression())
	}
	return ok
}

// filters parses filters, each applied to what is before it. A filter block's first has no bar.
func (p *parser) filters(of expr, inline bool) *filterExpr {
	var last *filterExpr
	for n := 0; inline || p.skip("|"); n++ {
		p.chain(n)
		inline = false
		t := p.expect("name")
		f := &filterExpr{of: of, name: p.dotted(t.text), line: t.line}
		if p.now().kind == "(" {
			f.arguments = p.arguments()
		}
		f.filter = filterNamed(f.name, t.line)
		of, last = f, f
	}
	return last
}

func (p *parser) dotted(name string) string {
	for p.skip(".") {
		name += "." + p.expect("name").text
	}
	return name
}

func (p *parser) test(of expr) expr {
	line := p.next().line
	negated := p.skipName("not")
	t := &testExpr{of: of, name: p.dotted(p.expect("name").text), line: line}
	t.test = testNamed(t.name, line)
	switch now := p.now(); now.kind {
	case "(":
		t.arguments = p.arguments()
	case "name", "string", "int", "float", "[", "{":
		if now.isName("else", "or", "and") {
			break
		}
		if now.isName("is") {
			p.fail("tests can't be chained with is")
		}
		t.positional = []node{p.postfix(p.primary(false))}
	}
	if negated {
		return &not{t}
	}
	return t
}
