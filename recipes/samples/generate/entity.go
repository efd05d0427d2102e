package main

// A language is one of the two languages that every part of the knowledge base is written in.
type language int

const (
	english language = iota
	chinese
)

func (l language) String() string { return [...]string{"en", "zh"}[l] }

// A kind is a class of entities that share their attributes.
type kind int

const (
	disease kind = iota
	drug
	nutrient
	organ
	examination
	country
	dish
	sport
	weather
	subject
)

// An attribute is a question that can be asked about every entity of a kind.
type attribute string

// Attributes of the medical kinds. The English values fit one grammatical slot each: noun phrases, but for prevention,
// action, task and preparation, which are gerunds, and location, which is a prepositional phrase.
const (
	symptom    attribute = "symptom"
	cause      attribute = "cause"
	site       attribute = "site"
	treatment  attribute = "treatment"
	department attribute = "department"
	test       attribute = "test"
	prevention attribute = "prevention"

	use        attribute = "use"
	class      attribute = "class"
	action     attribute = "action"
	sideEffect attribute = "side effect"

	role   attribute = "role"
	source attribute = "source"
	lack   attribute = "deficiency"
	family attribute = "family"

	task       attribute = "task"
	system     attribute = "system"
	location   attribute = "location"
	specialist attribute = "specialist"

	purpose     attribute = "purpose"
	method      attribute = "method"
	preparation attribute = "preparation"
	target      attribute = "target"
)

// Attributes of the general kinds.
const (
	capital   attribute = "capital"
	continent attribute = "continent"
	tongue    attribute = "language"
	product   attribute = "product"

	ingredient attribute = "ingredient"
	cooking    attribute = "cooking"
	flavour    attribute = "flavour"
	origin     attribute = "origin"

	equipment attribute = "equipment"
	players   attribute = "players"
	venue     attribute = "venue"
	skill     attribute = "skill"

	trigger attribute = "trigger"
	sign    attribute = "sign"
	advice  attribute = "advice"
	season  attribute = "season"

	topic    attribute = "topic"
	tool     attribute = "tool"
	exercise attribute = "exercise"
	benefit  attribute = "benefit"
)

// A fact is one attribute's value in both languages.
type fact struct {
	attr   attribute
	en, zh string
}

func (f fact) value(l language) string { return [...]string{f.en, f.zh}[l] }

// An entity is a thing that documents are about. English names stand as in the middle of a sentence, with their
// article.
type entity struct {
	kind   kind
	en, zh string
	facts  []fact
	group  string // table it comes from: neighbours, whose values are no fair distractors
}

func (e *entity) name(l language) string { return [...]string{e.en, e.zh}[l] }

// find returns the fact about an attribute.
func (e *entity) find(a attribute) (fact, bool) {
	for _, f := range e.facts {
		if f.attr == a {
			return f, true
		}
	}
	return fact{}, false
}

// A table is a named list of entities.
type table struct {
	name     string
	entities []entity
}

// medical and general are the two halves of the knowledge base, in the order of their tables.
func medical() []*entity {
	return collect(
		table{"respiratory", respiratory}, table{"circulation", circulation}, table{"nerves", nerves},
		table{"digestion", digestion}, table{"hormones", hormones}, table{"urinary", urinary}, table{"skin", skin},
		table{"senses", senses}, table{"infections", infections}, table{"blood", blood},
		table{"drugs", drugs}, table{"nutrients", nutrients}, table{"organs", organs},
		table{"examinations", examinations})
}

func general() []*entity {
	return collect(table{"countries", countries}, table{"dishes", dishes}, table{"sports", sports},
		table{"weather", weathers}, table{"subjects", subjects})
}

func collect(tables ...table) []*entity {
	var all []*entity
	for _, t := range tables {
		for _, e := range t.entities {
			e.group = t.name
			all = append(all, &e)
		}
	}
	return all
}

// core tells the attributes that everybody learns first: documents state them most often, and only they are in the
// exams.
func core(a attribute) bool {
	switch a {
	case symptom, treatment, use, lack, task, purpose:
		return true
	}
	return false
}
