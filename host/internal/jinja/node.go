package jinja

// A node is a part of a template's tree: a statement or an expression.
type node interface {
	// children are the nodes within, in the order in which Jinja2 visits them.
	children() []node
}

// An expr has a value.
type expr interface {
	node
	eval(f *frame) any
}

// A stmt does something.
type stmt interface {
	node
	exec(f *frame) signal
}

// A signal says how a statement ended.
type signal int

const (
	proceed signal = iota
	breaks
	continues
)

// Expressions.
type (
	constant struct{ value any }

	// A name that is read or, as a target, written.
	name struct {
		name string
		use  use
		ref  ref
		line int
	}

	// A nsName is an attribute of a namespace as a target.
	nsName struct {
		name, attr string
		ref        ref
		line       int
	}

	tupleExpr struct{ items []node }
	listExpr  struct{ items []node }

	dictExpr struct {
		keys, values []node
		line         int
	}

	binary struct {
		op          string // + - * / // % **
		left, right expr
		line        int
	}

	unary struct {
		op   string // + or -
		of   expr
		line int
	}

	not struct{ of expr }

	// A logical is "and" or "or".
	logical struct {
		or          bool
		left, right expr
	}

	concat struct{ parts []node }

	comparison struct {
		first expr
		ops   []string // == != < <= > >= in notin
		rest  []node
		line  int
	}

	conditional struct {
		test, then expr
		otherwise  expr // may be nil
		line       int
	}

	attribute struct {
		of   expr
		name string
		line int
	}

	subscript struct {
		of, index expr
		line      int
	}

	sliceExpr struct {
		of                expr
		start, stop, step expr // each may be nil
		line              int
	}

	call struct {
		callee expr
		arguments
		line int
	}

	filterExpr struct {
		of   expr // nil in a filter or set block, whose text is filtered
		name string
		arguments
		filter *procedure
		line   int
	}

	testExpr struct {
		of   expr
		name string
		arguments
		test *procedure
		line int
	}
)

// A use says what a name is for.
type use int

const (
	loaded use = iota
	stored
	declared // as a parameter, of a macro, a with block or a loop
)

// arguments of a call, a filter or a test.
type arguments struct {
	positional    []node
	names         []string // of the named ones
	named         []node
	rest, mapping expr // *rest and **mapping; each may be nil
}

// Statements.
type (
	data struct{ text string }

	output struct {
		value expr
		line  int
	}

	assign struct {
		target, value expr
		line          int
	}

	assignBlock struct {
		target expr
		filter *filterExpr // may be nil
		body   []node
		entry  []load
		line   int
	}

	ifStmt struct {
		test      expr
		then      []node
		elifs     []node
		otherwise []node
		line      int
	}

	forStmt struct {
		target, over expr
		test         expr // may be nil
		body         []node
		otherwise    []node
		entry        []load
		elseEntry    []load
		testEntry    []load
		testTarget   expr // the target, as the test sees it
		loop         ref
		hasLoop      bool
		line         int
	}

	withStmt struct {
		targets, values []node
		body            []node
		entry           []load
		line            int
	}

	macroStmt struct {
		name string
		ref  ref
		def  *definition
		line int
	}

	callBlock struct {
		call *call // its caller is def
		def  *definition
		line int
	}

	filterBlock struct {
		filter *filterExpr
		body   []node
		entry  []load
		line   int
	}

	generation struct {
		def  *definition
		line int
	}

	jump struct {
		signal signal
		line   int
	}
)

// A definition is a function of the template: a macro, or the body of a call or generation block.
type definition struct {
	name     string // empty for a block
	params   []*name
	defaults []node // of the last parameters
	body     []node

	caller, kwargs, varargs *ref // of the special names that the body reads
	entry                   []load
	slots                   int
}

func (n *constant) children() []node    { return nil }
func (n *name) children() []node        { return nil }
func (n *nsName) children() []node      { return nil }
func (n *tupleExpr) children() []node   { return n.items }
func (n *listExpr) children() []node    { return n.items }
func (n *unary) children() []node       { return []node{n.of} }
func (n *not) children() []node         { return []node{n.of} }
func (n *binary) children() []node      { return []node{n.left, n.right} }
func (n *logical) children() []node     { return []node{n.left, n.right} }
func (n *concat) children() []node      { return n.parts }
func (n *comparison) children() []node  { return append([]node{n.first}, n.rest...) }
func (n *attribute) children() []node   { return []node{n.of} }
func (n *subscript) children() []node   { return []node{n.of, n.index} }
func (n *call) children() []node        { return append([]node{n.callee}, n.all()...) }
func (n *testExpr) children() []node    { return append([]node{n.of}, n.all()...) }
func (n *conditional) children() []node { return present(n.test, n.then, n.otherwise) }
func (n *sliceExpr) children() []node   { return present(n.of, n.start, n.stop, n.step) }
func (n *filterExpr) children() []node  { return append(present(n.of), n.all()...) }

func (n *dictExpr) children() []node {
	var all []node
	for i := range n.keys {
		all = append(all, n.keys[i], n.values[i])
	}
	return all
}

func (n *data) children() []node   { return nil }
func (n *jump) children() []node   { return nil }
func (n *output) children() []node { return []node{n.value} }
func (n *assign) children() []node { return []node{n.target, n.value} }
func (n *assignBlock) children() []node {
	return append(append([]node{n.target}, n.filtered()...), n.body...)
}
func (n *macroStmt) children() []node   { return n.def.children() }
func (n *generation) children() []node  { return n.def.children() }
func (n *callBlock) children() []node   { return append([]node{n.call}, n.def.children()...) }
func (n *filterBlock) children() []node { return append(append([]node{}, n.body...), n.filter) }

func (n *ifStmt) children() []node {
	return concatNodes([]node{n.test}, n.then, n.elifs, n.otherwise)
}

func (n *forStmt) children() []node {
	return concatNodes([]node{n.target, n.over}, n.body, n.otherwise, present(n.test))
}

func (n *withStmt) children() []node { return concatNodes(n.targets, n.values, n.body) }

func (n *assignBlock) filtered() []node {
	if n.filter == nil {
		return nil
	}
	return []node{n.filter}
}

func (d *definition) children() []node {
	var params []node
	for _, p := range d.params {
		params = append(params, p)
	}
	return concatNodes(params, d.defaults, d.body)
}

func (a *arguments) all() []node {
	return concatNodes(a.positional, a.named, present(a.rest, a.mapping))
}

// present lists the expressions that are not nil.
func present(all ...expr) []node {
	var nodes []node
	for _, e := range all {
		if e != nil {
			nodes = append(nodes, e)
		}
	}
	return nodes
}

func concatNodes(lists ...[]node) []node {
	var all []node
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
