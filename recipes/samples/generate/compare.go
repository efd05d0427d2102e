package main

import "strings"

// comparison sets two entities of one table side by side.
func (a *author) comparison() document {
	e := a.ledger.entity(a.writer, anyEntity)
	other := pick(a.writer, neighbours(a.ledger.entities, e))
	var out []string
	for _, f := range draw(a.writer, e.facts, len(e.facts)) {
		g, ok := other.find(f.attr)
		if !ok || g.value(a.lang) == f.value(a.lang) || len(out) == 3 {
			continue
		}
		a.ledger.note(e, f)
		a.ledger.note(other, g)
		pair := strings.NewReplacer("{A}", a.clause(e, f, true), "{B}", a.clause(other, g, true))
		out = append(out, a.sentence(pair.Replace(pick(a.writer, a.book.contrasts))))
	}
	return document{a.join(append([]string{a.comparing(e, other)}, out...)...), 5}
}

func (a *author) comparing(e, other *entity) string {
	openings := []string{"it is worth comparing {A} with {B}", "{A} and {B} are often taught together",
		"students should be able to tell {A} from {B}"}
	if a.lang == chinese {
		openings = []string{"{A}和{B}常被放在一起讲", "初学者应当分清{A}和{B}", "比较{A}与{B}很有意义"}
	}
	names := strings.NewReplacer("{A}", e.name(a.lang), "{B}", other.name(a.lang))
	return a.sentence(names.Replace(pick(a.writer, openings)))
}

func neighbours(all []*entity, e *entity) []*entity {
	var out []*entity
	for _, o := range all {
		if o != e && o.kind == e.kind && o.group == e.group {
			out = append(out, o)
		}
	}
	return out
}

// vignette tells of one patient.
func (a *author) vignette() document {
	e := a.ledger.entity(a.writer, func(e *entity) bool {
		_, feels := e.find(symptom)
		_, treats := e.find(treatment)
		return feels && treats
	})
	patient := a.either(pick(a.writer, []string{"a new patient", "the first patient of the morning",
		"a patient sent by the family doctor", "a patient from a village nearby"}),
		pick(a.writer, []string{"一位新病人", "当天第一位病人", "一位由社区医生转来的病人", "一位来自附近乡村的病人"}))
	parts := []struct {
		attr   attribute
		en, zh string
	}{
		{symptom, patient + " came because of {V}", patient + "因{V}前来就诊"},
		{test, "the doctor suspected {E} and arranged {V}", "医生怀疑是{E}，安排了{V}"},
		{cause, "the cause of {E} in this case, as in many others, was {V}", "这一例{E}的病因与多数病例一样，是{V}"},
		{department, "the care of {E} was taken over by colleagues in {V}", "{E}的诊治由{V}的同事接手"},
		{treatment, "against {E} the team chose {V}", "针对{E}，医生采用了{V}"},
		{prevention, "for the future the doctor recommended {V}", "医生建议今后{V}"},
	}
	var out []string
	for _, p := range parts {
		if f, ok := e.find(p.attr); ok {
			a.ledger.note(e, f)
			out = append(out, a.sentence(a.fill(a.either(p.en, p.zh), e, true, f.value(a.lang), "")))
		}
	}
	out = append(out, a.sentence(a.either("the final diagnosis was ", "最后的诊断是")+e.name(a.lang)))
	return document{a.join(out...), 4}
}

// roundup states one attribute of several entities of one kind.
func (a *author) roundup() document {
	e := a.ledger.entity(a.writer, anyEntity)
	f := a.ledger.facts(a.writer, e, 1)[0]
	out := []string{a.sentence(a.either("a short comparison helps the memory", "放在一起比较，更容易记住"))}
	for _, o := range append([]*entity{e}, draw(a.writer, neighbours(a.ledger.entities, e), 5)...) {
		if g, ok := o.find(f.attr); ok {
			a.ledger.note(o, g)
			out = append(out, a.statement(o, g, true))
		}
	}
	return document{a.join(out...), 4}
}
