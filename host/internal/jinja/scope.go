package jinja

import "maps"

// A function is the root of a template, a macro or the body of a call or generation block: what has slots of its own
// for the values of its names.
type function struct {
	depth int
	slots int
}

// A ref is where a name's value is: up functions outwards, in a slot.
type ref struct{ up, slot int }

// A scope knows the names of a stretch of a function. It follows Jinja2's compiler: a name that is read before it is
// written belongs to the scope outside, or is a value given to the template; one that is written belongs to the scope
// that writes it and starts as it is outside, if it is known there.
type scope struct {
	parent *scope
	fn     *function
	slots  map[string]int // by name; shared by the branches of an if
	refs   map[string]int // the names known, with their slots
	loads  map[int]load   // by slot
	stores map[string]bool
}

// A load says what a slot holds when its scope is entered.
type load struct {
	kind loadKind
	slot int
	name string
	from ref
}

type loadKind int

const (
	parameter loadKind = iota // set by whoever enters
	given                     // the value that the template was given, or a global
	alias                     // the value of the same name outside
	unset
)

func newScope(parent *scope, fn *function) *scope {
	return &scope{parent, fn, map[string]int{}, map[string]int{}, map[int]load{}, map[string]bool{}}
}

// inner is a scope within s, of the same function.
func (s *scope) inner() *scope { return newScope(s, s.fn) }

// called is the scope of a function that is defined in s.
func (s *scope) called() *scope { return newScope(s, &function{depth: s.fn.depth + 1}) }

// define makes a name known.
func (s *scope) define(name string, l load) {
	slot, ok := s.slots[name]
	if !ok {
		slot = s.fn.slots
		s.slots[name] = slot
		s.fn.slots++
	}
	l.slot, l.name = slot, name
	s.refs[name], s.loads[slot] = slot, l
}

// find returns where a name's value is, from within function fn.
func (s *scope) find(name string, fn *function) (ref, bool) {
	for ; s != nil; s = s.parent {
		if slot, ok := s.refs[name]; ok {
			return ref{fn.depth - s.fn.depth, slot}, true
		}
	}
	return ref{}, false
}

func (s *scope) declare(name string) {
	s.stores[name] = true
	s.define(name, load{kind: parameter})
}

func (s *scope) store(name string) {
	s.stores[name] = true
	if _, ok := s.refs[name]; ok {
		return
	}
	if from, ok := s.parent.find(name, s.fn); ok {
		s.define(name, load{kind: alias, from: from})
		return
	}
	s.define(name, load{kind: unset})
}

func (s *scope) load(name string) {
	if _, ok := s.find(name, s.fn); !ok {
		s.define(name, load{kind: given})
	}
}

// branch is a copy of s for one way through an if.
func (s *scope) branch() *scope {
	return &scope{s.parent, s.fn, s.slots, maps.Clone(s.refs), maps.Clone(s.loads), maps.Clone(s.stores)}
}

// join brings the branches of an if together. What only they write starts with the value outside.
func (s *scope) join(branches ...*scope) {
	written := map[string]bool{}
	for _, b := range branches {
		for name := range b.stores {
			if !s.stores[name] {
				written[name] = true
			}
		}
	}
	for _, b := range branches {
		maps.Copy(s.refs, b.refs)
		maps.Copy(s.loads, b.loads)
		maps.Copy(s.stores, b.stores)
	}
	for name := range written {
		if from, ok := s.parent.find(name, s.fn); ok {
			s.define(name, load{kind: alias, from: from})
		} else {
			s.define(name, load{kind: given})
		}
	}
}

// entry lists the scope's slots and what they hold when it is entered.
func (s *scope) entry() []load {
	var all []load
	for slot := range s.fn.slots {
		if l, ok := s.loads[slot]; ok {
			all = append(all, l)
		}
	}
	return all
}
