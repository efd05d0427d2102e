package jinja

import "slices"

// A parser makes the tree of a template, by Jinja2's grammar.
type parser struct {
	tokens []token
	at     int
	nested int
}

func (p *parser) now() token { return p.tokens[p.at] }

func (p *parser) ahead() token { return p.tokens[min(p.at+1, len(p.tokens)-1)] }

// next takes the current token; the last is never passed.
func (p *parser) next() token {
	t := p.now()
	p.at = min(p.at+1, len(p.tokens)-1)
	return t
}

func (p *parser) fail(format string, args ...any) { fail(p.now().line, format, args...) }

func (t token) isName(names ...string) bool {
	return t.kind == "name" && slices.Contains(names, t.text)
}

// skip takes the current token if it is an operator of that kind.
func (p *parser) skip(kind string) bool {
	ok := p.now().kind == kind
	if ok {
		p.next()
	}
	return ok
}

// skipName takes the current token if it is that name.
func (p *parser) skipName(text string) bool {
	ok := p.now().isName(text)
	if ok {
		p.next()
	}
	return ok
}

func (p *parser) expect(kind string) token {
	if p.now().kind != kind {
		p.fail("%s is expected, not %s", kind, p.now())
	}
	return p.next()
}

func (p *parser) expectName(text string) {
	if !p.skipName(text) {
		p.fail("%s is expected, not %s", text, p.now())
	}
}

func (t token) String() string {
	if t.kind == "name" || t.kind == "int" || t.kind == "float" {
		return t.text
	}
	return t.kind
}

// deeper counts how deep the tree is; call what it returns on the way back.
func (p *parser) deeper() func() {
	if p.nested++; p.nested > maxNested {
		p.fail("the template is nested more than %d deep", maxNested)
	}
	return func() { p.nested-- }
}

func (p *parser) template() []node {
	body := p.body()
	if p.now().kind != "eof" {
		p.fail("the tag %s closes nothing", p.now())
	}
	return body
}

// body parses up to the end of the template or a statement whose name is one of ends; that name is the current token
// then.
func (p *parser) body(ends ...string) []node {
	defer p.deeper()()
	var body []node
	for {
		switch t := p.now(); t.kind {
		case "eof":
			if len(ends) > 0 {
				p.fail("the template ends where %s is expected", ends[len(ends)-1])
			}
			return body
		case "data":
			body = append(body, &data{p.next().text})
		case "{{":
			p.next()
			body = append(body, &output{p.tuple(true), t.line})
			p.expect("}}")
		case "{%":
			p.next()
			if p.now().isName(ends...) {
				return body
			}
			body = append(body, p.statement()...)
			p.expect("%}")
		}
	}
}

// statements parses the body of a block, whose opening tag ends here, and takes the name that ends it.
func (p *parser) statements(ends ...string) (body []node, end string) {
	p.skip(":")
	p.expect("%}")
	body = p.body(ends...)
	return body, p.next().text
}

func (p *parser) statement() []node {
	t := p.expect("name")
	switch t.text {
	case "for":
		return []node{p.forLoop(t.line)}
	case "if":
		return []node{p.ifBlock(t.line)}
	case "set":
		return []node{p.set(t.line)}
	case "with":
		return []node{p.with(t.line)}
	case "macro":
		return []node{p.macro(t.line)}
	case "call":
		return []node{p.callBlock(t.line)}
	case "filter":
		return []node{p.filterBlock(t.line)}
	case "print":
		return p.print(t.line)
	case "generation":
		body, _ := p.statements("endgeneration")
		return []node{&generation{&definition{body: body}, t.line}}
	case "break":
		return []node{&jump{breaks, t.line}}
	case "continue":
		return []node{&jump{continues, t.line}}
	case "include", "import", "from", "extends", "block", "autoescape":
		unsupported(t.line, "the tag %s", t.text)
	}
	fail(t.line, "the tag %s is not known or closes nothing", t.text)
	return nil
}

func (p *parser) print(line int) []node {
	var all []node
	for p.now().kind != "%}" {
		if len(all) > 0 {
			p.expect(",")
		}
		all = append(all, &output{p.expression(), line})
	}
	return all
}

func (p *parser) set(line int) node {
	target := p.target(true, "")
	if p.skip("=") {
		return &assign{target, p.tuple(true), line}
	}
	s := &assignBlock{target: target, filter: p.filters(nil, false), line: line}
	s.body, _ = p.statements("endset")
	return s
}

func (p *parser) forLoop(line int) node {
	s := &forStmt{line: line, target: p.target(false, "in")}
	p.expectName("in")
	s.over = p.tuple(false, "recursive")
	if p.skipName("if") {
		s.test = p.expression()
	}
	if p.now().isName("recursive") {
		unsupported(line, "a recursive loop")
	}
	var end string
	if s.body, end = p.statements("else", "endfor"); end == "else" {
		s.otherwise, _ = p.statements("endfor")
	}
	return s
}

func (p *parser) ifBlock(line int) node {
	s := &ifStmt{line: line, test: p.tuple(false)}
	var end string
	s.then, end = p.statements("elif", "else", "endif")
	for end == "elif" {
		e := &ifStmt{line: p.now().line, test: p.tuple(false)}
		e.then, end = p.statements("elif", "else", "endif")
		s.elifs = append(s.elifs, e)
	}
	if end == "else" {
		s.otherwise, _ = p.statements("endif")
	}
	return s
}

func (p *parser) with(line int) node {
	s := &withStmt{line: line}
	for p.now().kind != "%}" {
		if len(s.targets) > 0 {
			p.expect(",")
		}
		target := p.target(false, "")
		declare(target)
		p.expect("=")
		s.targets, s.values = append(s.targets, target), append(s.values, p.expression())
	}
	s.body, _ = p.statements("endwith")
	return s
}

func (p *parser) macro(line int) node {
	d := &definition{name: p.targetName().name}
	p.signature(d)
	d.body, _ = p.statements("endmacro")
	return &macroStmt{name: d.name, def: d, line: line}
}

// signature parses the parameters of a macro.
func (p *parser) signature(d *definition) {
	p.expect("(")
	for p.now().kind != ")" {
		if len(d.params) > 0 {
			p.expect(",")
		}
		param := p.targetName()
		param.use = declared
		if p.skip("=") {
			d.defaults = append(d.defaults, p.expression())
		} else if len(d.defaults) > 0 {
			p.fail("parameter %s without a default follows one with a default", param.name)
		}
		for _, other := range d.params {
			if other.name == param.name {
				p.fail("there are two parameters %s", param.name)
			}
		}
		d.params = append(d.params, param)
	}
	p.next()
}

func (p *parser) callBlock(line int) node {
	s := &callBlock{def: &definition{}, line: line}
	if p.now().kind == "(" {
		p.signature(s.def)
	}
	c, ok := p.expression().(*call)
	if !ok {
		fail(line, "a call block has to call something")
	}
	s.call = c
	s.def.body, _ = p.statements("endcall")
	return s
}

func (p *parser) filterBlock(line int) node {
	s := &filterBlock{filter: p.filters(nil, true), line: line}
	s.body, _ = p.statements("endfilter")
	return s
}

// target parses what is assigned to: a name, a tuple of targets or, where spaces says so, an attribute of a namespace.
func (p *parser) target(spaces bool, end string) expr {
	e := p.tupleOf(func() expr { return p.primary(spaces) }, false, end)
	p.store(e)
	return e
}

func (p *parser) targetName() *name {
	t := p.expect("name")
	n := &name{name: t.text, use: stored, line: t.line}
	p.store(n)
	return n
}

// store makes targets of names.
func (p *parser) store(e node) {
	switch t := e.(type) {
	case *name:
		if t.name == "true" || t.name == "True" || t.name == "false" || t.name == "False" || t.name == "none" ||
			t.name == "None" {
			p.fail("%s can't be assigned to", t.name)
		}
		t.use = stored
	case *nsName:
	case *tupleExpr:
		for _, item := range t.items {
			p.store(item)
		}
	default:
		p.fail("this can't be assigned to")
	}
}

func declare(target node) {
	if n, ok := target.(*name); ok {
		n.use = declared
	}
	for _, c := range target.children() {
		declare(c)
	}
}
