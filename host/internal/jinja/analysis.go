package jinja

// analyse enters the names of statements and expressions into a scope, in Jinja2's order. Blocks with scopes of their
// own are left to their own analysis, but for what they read or write outside.
func (s *scope) analyse(nodes ...node) {
	for _, n := range nodes {
		s.analyseOne(n)
	}
}

func (s *scope) analyseOne(n node) {
	switch n := n.(type) {
	case *name:
		s.analyseName(n)
	case *nsName:
		s.load(n.name)
	case *ifStmt:
		s.analyseIf(n)
	case *assign:
		s.analyse(n.value, n.target)
	case *assignBlock:
		s.analyse(n.target)
	case *macroStmt:
		s.store(n.name)
	case *forStmt:
		s.analyse(n.over)
	case *withStmt:
		s.analyse(n.values...)
	case *callBlock:
		s.analyse(n.call)
	case *filterBlock:
		s.analyse(n.filter)
	case *generation:
	default:
		s.analyse(n.children()...)
	}
}

func (s *scope) analyseName(n *name) {
	switch n.use {
	case loaded:
		s.load(n.name)
	case stored:
		s.store(n.name)
	case declared:
		s.declare(n.name)
	}
}

func (s *scope) analyseIf(n *ifStmt) {
	s.analyse(n.test)
	then, elifs, otherwise := s.branch(), s.branch(), s.branch()
	then.analyse(n.then...)
	elifs.analyse(n.elifs...)
	otherwise.analyse(n.otherwise...)
	s.join(then, elifs, otherwise)
}

// declareAll makes the names of a target parameters.
func (s *scope) declareAll(target node) {
	if n, ok := target.(*name); ok {
		s.declare(n.name)
	}
	for _, c := range target.children() {
		s.declareAll(c)
	}
}

// reads reports whether one of the special names is read before it is written, anywhere within nodes.
func reads(nodes []node, special string) bool {
	read, written := false, false
	var visit func(n node)
	visit = func(n node) {
		if name, ok := n.(*name); ok && name.name == special && !read {
			if name.use == loaded {
				read = !written
			} else {
				written = true
			}
		}
		for _, c := range n.children() {
			visit(c)
		}
	}
	for _, n := range nodes {
		visit(n)
	}
	return read
}
