package main

// A wording holds the sentences in which one attribute is stated and asked in one language.
//
// {S} is the entity as subject and {O} the entity elsewhere; both may be rendered as a pronoun. {E} is always its name,
// {V} the value. English sentences start in lower case and all sentences lack their full stop, so that they can follow
// a connective. Keeping the sets apart keeps the sample honest: held appears in held-out documents only, exams in exams
// only.
type wording struct {
	label    string   // heading of the fact in an overview
	states   []string // sentences of documents and answers
	leaflets []string // sentences that speak to a patient
	held     []string // sentences of held-out documents
	asks     []string // questions that name the entity
	follows  []string // questions that need the history to be understood
	items    []string // exam questions of dialogues and pairs
	exams    []string // exam questions of the benchmarks
}

// A phrasebook is all wording of one language.
type phrasebook struct {
	attributes []map[attribute]wording
	pronouns   map[kind][]string // subject and elsewhere alike, but for English "it", which is a subject only
	subjects   map[kind][]string
	fillers    map[kind][]string
	reasons    []reason
	links      []string // connectives before a further sentence
	contrasts  []string // joins two statements about different entities: {A}, {B}
}

// A reason is a sentence that ties two facts of one entity together; {V} is the first's value and {W} the second's.
type reason struct {
	first, second attribute
	text          string
}

func phrases(l language) phrasebook {
	if l == chinese {
		return chinesePhrases
	}
	return englishPhrases
}

// of returns the wording of an attribute; every attribute of the knowledge base has one.
func (p phrasebook) of(a attribute) wording {
	for _, m := range p.attributes {
		if w, ok := m[a]; ok {
			return w
		}
	}
	panic("no wording for attribute " + string(a))
}
