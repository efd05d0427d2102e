package main

import (
	"slices"
	"strings"
)

// kin lists entities that lend each other no distractors, because an expert could defend the other's value.
var kin = [][]string{
	{"pulmonary embolism", "deep vein thrombosis", "atrial fibrillation"},
	{"pneumonia", "tonsillitis", "otitis media", "meningitis", "tuberculosis"},
	{"shingles", "chickenpox"},
	{"measles", "meningitis", "malaria", "influenza", "pneumonia", "mumps", "chickenpox"},
	{"asthma", "allergic rhinitis", "urticaria", "eczema"},
	{"stroke", "hypertension", "coronary heart disease", "myocardial infarction", "heart failure", "type 2 diabetes",
		"osteoarthritis", "sleep apnoea", "chronic kidney disease", "COPD", "atrial fibrillation", "Alzheimer disease"},
	{"hepatitis B", "liver cirrhosis", "HIV infection"},
	{"cholera", "constipation", "cystitis", "kidney stone disease", "coeliac disease"},
	{"gastritis", "peptic ulcer disease", "gallstone disease", "acute pancreatitis", "liver cirrhosis",
		"dental caries"},
	{"pulmonary embolism", "myocardial infarction", "coronary heart disease", "pneumonia"},
	{"rheumatoid arthritis", "psoriasis", "gout", "osteoarthritis"},
	{"depression", "insomnia", "hypothyroidism", "iron deficiency anaemia", "leukaemia"},
	{"conjunctivitis", "scabies", "measles", "chickenpox", "influenza"},
	{"aspirin", "warfarin", "ibuprofen", "paracetamol", "morphine"},
	{"amlodipine", "enalapril", "furosemide"},
	{"prednisone", "loratadine", "salbutamol"},
	{"metformin", "omeprazole", "fluoxetine"},
	{"iron", "vitamin B12", "folic acid", "zinc", "vitamin B1"},
	{"calcium", "vitamin D", "vitamin K", "folic acid", "potassium"},
	{"the liver", "the pancreas", "the stomach"},
}

func related(a, b *entity) bool {
	for _, k := range kin {
		if slices.Contains(k, a.en) && slices.Contains(k, b.en) {
			return true
		}
	}
	return a.kind == disease && a.group == b.group
}

// A question is a multiple-choice item about one fact.
type question struct {
	text    string
	options []string
	answer  int
	entity  *entity
	fact    fact
}

// question asks for a fact and offers three wrong values of the same attribute, the right one as option number answer.
func (w *writer) question(all []*entity, m mention, templates []string, answer int) question {
	f, _ := m.entity.find(m.attr)
	options := draw(w, distractors(w.lang, all, m, f), 3)
	if len(options) < 3 {
		panic("too few distractors for " + m.entity.en + ", " + string(m.attr))
	}
	return question{
		text:    w.ask(templates, m.entity),
		options: slices.Insert(options, answer, f.value(w.lang)),
		answer:  answer, entity: m.entity, fact: f,
	}
}

func distractors(l language, all []*entity, m mention, right fact) []string {
	var out []string
	for _, e := range all {
		f, ok := e.find(m.attr)
		if !ok || e.kind != m.entity.kind || m.attr != family && related(e, m.entity) {
			continue
		}
		if v := f.value(l); v != right.value(l) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// prompt is the question with its lettered options, as a user would send it.
func (q question) prompt() string {
	lines := []string{q.text}
	for i, o := range q.options {
		lines = append(lines, letter(i)+". "+o)
	}
	return strings.Join(lines, "\n")
}

func letter(i int) string { return string(rune('A' + i)) }
