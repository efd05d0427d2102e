package tokenizer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The types of pieces.
const (
	normalPiece = 1 + iota
	unknownPiece
	controlPiece
	userPiece
	unusedPiece
	bytePiece
)

// A spiece is one token of a SentencePiece model.
type spiece struct {
	text  string
	score float32
	kind  uint64
}

// spModel is what matters of SentencePiece's ModelProto.
type spModel struct {
	pieces                            []spiece
	kind                              uint64 // 1 Unigram, 2 BPE
	suffix                            bool   // the dummy space stands behind the text
	byteFallback                      bool
	unknownText                       string
	names                             specialNames
	charsmap                          []byte
	dummy, trim, escape, denormalizes bool
}

// readSentencePiece makes a tokenizer of a .model file that gives the tokens SentencePiece itself gives.
func readSentencePiece(raw []byte) (*Tokenizer, vocabulary, error) {
	m := spModel{kind: 1, unknownText: " \u2047 ", dummy: true, trim: true, escape: true}
	m.names = specialNames{bos: "<s>", eos: "</s>", pad: "<pad>"}
	if err := m.read(raw); err != nil {
		return nil, nil, err
	}
	if err := m.check(); err != nil {
		return nil, nil, err
	}
	return m.tokenizer()
}

func (m *spModel) read(raw []byte) error {
	return eachField(raw, func(f field) error {
		switch f.number {
		case 1:
			return m.readPiece(f.bytes)
		case 2:
			return m.readTrainer(f.bytes)
		case 3:
			return m.readNormalizer(f.bytes)
		case 5:
			return eachField(f.bytes, func(f field) error {
				m.denormalizes = m.denormalizes || f.number == 2 && len(f.bytes) > 0
				return nil
			})
		}
		return nil
	})
}

func (m *spModel) readPiece(raw []byte) error {
	if len(m.pieces) == vocabLimit {
		return fmt.Errorf("it has more than %d pieces", vocabLimit)
	}
	p := spiece{kind: normalPiece}
	err := eachField(raw, func(f field) error {
		switch f.number {
		case 1:
			p.text = string(f.bytes)
		case 2:
			p.score = f.float()
		case 3:
			p.kind = f.value
		}
		return nil
	})
	m.pieces = append(m.pieces, p)
	return err
}

func (m *spModel) readTrainer(raw []byte) error {
	return eachField(raw, func(f field) error {
		switch f.number {
		case 3:
			m.kind = f.value
		case 24:
			m.suffix = f.bool()
		case 35:
			m.byteFallback = f.bool()
		case 44:
			m.unknownText = string(f.bytes)
		case 46:
			m.names.bos = string(f.bytes)
		case 47:
			m.names.eos = string(f.bytes)
		case 48:
			m.names.pad = string(f.bytes)
		}
		return nil
	})
}

func (m *spModel) readNormalizer(raw []byte) error {
	return eachField(raw, func(f field) error {
		switch f.number {
		case 2:
			m.charsmap = f.bytes
		case 3:
			m.dummy = f.bool()
		case 4:
			m.trim = f.bool()
		case 5:
			m.escape = f.bool()
		}
		return nil
	})
}

// check refuses what is broken or not understood.
func (m *spModel) check() error {
	if m.kind != 1 && m.kind != 2 {
		return fmt.Errorf("trainer_spec: model_type %d is neither 1 (Unigram) nor 2 (BPE)", m.kind)
	}
	if m.denormalizes {
		return errors.New("denormalizer_spec is not supported")
	}
	unknowns, bytes := 0, 0
	for id, p := range m.pieces {
		switch {
		case p.text == "" || len(p.text) > tokenLimit || !utf8.ValidString(p.text):
			return fmt.Errorf("piece %d is empty, longer than %d bytes or not UTF-8", id, tokenLimit)
		case p.kind < normalPiece || p.kind > bytePiece || p.kind == unusedPiece && m.kind == 2:
			return fmt.Errorf("piece %d, %q: type %d is not supported", id, p.text, p.kind)
		case p.score != p.score:
			return fmt.Errorf("piece %d, %q: its score is no number", id, p.text)
		case p.kind == unknownPiece:
			unknowns++
		case p.kind == bytePiece:
			bytes++
		}
	}
	if unknowns != 1 {
		return fmt.Errorf("%d pieces are of type unknown, not one", unknowns)
	}
	if m.byteFallback && bytes != 256 {
		return fmt.Errorf("%d pieces stand for bytes, not 256", bytes)
	}
	return nil
}

func (m *spModel) tokenizer() (*Tokenizer, vocabulary, error) {
	vocab := vocabulary{}
	unknown := int32(none)
	var special, users []addedToken
	for id, p := range m.pieces {
		if _, twice := vocab[p.text]; twice {
			return nil, nil, fmt.Errorf("piece %d, %q, is there twice", id, p.text)
		}
		vocab[p.text] = int32(id)
		switch p.kind {
		case unknownPiece:
			unknown = int32(id)
		case controlPiece:
			special = append(special, addedToken{ID: int32(id), Content: p.text, Special: true})
		case userPiece:
			users = append(users, addedToken{ID: int32(id), Content: p.text})
		}
	}
	t := newTokenizer()
	t.before = newFinder(special)
	var err error
	if t.normalize, err = m.normalizer(users); err != nil {
		return nil, nil, err
	}
	t.model = m.unigram(unknown)
	if m.kind == 2 {
		t.within = newFinder(users)
		if t.model, err = m.bpe(unknown); err != nil {
			return nil, nil, err
		}
	}
	t.decoding.steps = []decoder{m.decoder(m.pieces[unknown].text)}
	_, err = t.readVocab(vocab, special)
	t.names = m.names.within(vocab)
	return t, vocab, err
}

// unigram makes the model. User-defined pieces get a score that lets them win against normal ones.
func (m *spModel) unigram(unknown int32) model {
	u := newUnigram()
	u.unknown, u.single = unknown, true
	least, most := m.extremes()
	u.penalty = float64(least - unknownPenalty)
	var entries []entry
	u.scores = make([]float64, len(m.pieces))
	for id, p := range m.pieces {
		u.scores[id] = float64(p.score)
		if p.kind == userPiece {
			u.scores[id] = float64(float32(len(p.text))*most) - 0.1
		}
		if p.kind == normalPiece || p.kind == userPiece {
			entries = append(entries, entry{p.text, int32(id)})
		}
	}
	u.trie, u.bytes = newTrie(entries), m.bytes()
	return u
}

// extremes returns the least and the greatest score of normal pieces.
func (m *spModel) extremes() (least, most float32) {
	first := true
	for _, p := range m.pieces {
		if p.kind != normalPiece {
			continue
		}
		if first {
			least, most, first = p.score, p.score, false
		}
		least, most = min(least, p.score), max(most, p.score)
	}
	return least, most
}

// bytes returns the ids of the tokens of bytes, nil if there is no fallback to them.
func (m *spModel) bytes() *[256]int32 {
	if !m.byteFallback {
		return nil
	}
	vocab := vocabulary{}
	for id, p := range m.pieces {
		if p.kind == bytePiece {
			vocab[p.text] = int32(id)
		}
	}
	return byteTable(vocab)
}

// bpe makes the model. Two tokens join if what they make is a piece; the one of greatest score goes first, and pieces
// of one score go by their place in the text alone, so they have one rank.
func (m *spModel) bpe(unknown int32) (model, error) {
	normal := vocabulary{}
	var order []int32
	for id, p := range m.pieces {
		if p.kind == normalPiece {
			normal[p.text] = int32(id)
			order = append(order, int32(id))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(m.pieces[b].score, m.pieces[a].score) })
	merges := map[uint64]merge{}
	rank := int32(0)
	for i, id := range order {
		if i > 0 && m.pieces[id].score != m.pieces[order[i-1]].score {
			rank++
		}
		text := m.pieces[id].text
		if err := joins(merges, normal, text, merge{rank, id}); err != nil {
			return nil, err
		}
	}
	b := newBPE(merges)
	b.spell = (&letters{tokens: normal, bytes: m.bytes(), unknown: unknown, fuse: true}).spell
	return inWords(b, normal), nil
}

// joins enters all ways to make a piece of two.
func joins(merges map[uint64]merge, normal vocabulary, text string, m merge) error {
	for i, r := range text {
		if _, ok := normal[string(r)]; !ok {
			return fmt.Errorf("piece %q has the character %q, which is no piece itself", text, r)
		}
		left, okLeft := normal[text[:i]]
		right, okRight := normal[text[i:]]
		if i > 0 && okLeft && okRight {
			merges[pairKey(left, right)] = m
		}
	}
	return nil
}

// normalizer replaces by the charsmap, writes spaces as ▁ and puts one at the start or at the end; runs of spaces
// become one, and those around the text go, if the model says so. What users define stays as it is.
func (m *spModel) normalizer(users []addedToken) (normalizer, error) {
	table := &charsmap{units: []uint32{0}}
	if len(m.charsmap) > 0 {
		var err error
		if table, err = readCharsmap(m.charsmap); err != nil {
			return nil, err
		}
	}
	n := spNormalizer{m: m, table: table, users: newFinder(users), space: " "}
	if m.escape {
		n.space = metaMark
	}
	return n.normalize, nil
}

type spNormalizer struct {
	m     *spModel
	table *charsmap
	users finder
	space string
}

// next returns what the start of s becomes and how long that start is.
func (n *spNormalizer) next(s string) (text string, length int) {
	if n.users.first[s[0]] {
		if length, _ := n.users.trie.longest(s); length > 0 {
			return s[:length], length
		}
	}
	if length, text := n.table.longest(s); length > 0 {
		return text, length
	}
	_, length = utf8.DecodeRuneInString(s)
	return s[:length], length
}

func (n *spNormalizer) normalize(s string) string {
	for n.m.trim && s != "" {
		text, length := n.next(s)
		if text != " " {
			break
		}
		s = s[length:]
	}
	if s == "" {
		return ""
	}
	var out strings.Builder
	out.Grow(len(s) + len(s)/2)
	if n.m.dummy && !n.m.suffix {
		out.WriteString(n.space)
	}
	spaced := n.m.trim // the last character was a space
	for s != "" {
		text, length := n.next(s)
		if s = s[length:]; spaced {
			text = strings.TrimLeft(text, " ")
		}
		if text != "" {
			out.WriteString(strings.ReplaceAll(text, " ", n.space))
			spaced = n.m.trim && text[len(text)-1] == ' '
		}
	}
	normal := out.String()
	for n.m.trim && strings.HasSuffix(normal, n.space) {
		normal = normal[:len(normal)-len(n.space)]
	}
	if n.m.dummy && n.m.suffix {
		normal += n.space
	}
	return normal
}

// decoder joins pieces as SentencePiece does. unknown is the text of the unknown piece.
func (m *spModel) decoder(unknown string) decoder {
	return func(tokens []string) []string {
		var out, bytes []byte
		start, dropped := true, false // no text yet; the space at its start has been dropped
		for _, token := range tokens {
			if b, err := byteToken(token); err == nil && m.byteFallback {
				bytes = append(bytes, b)
				continue
			}
			out, bytes = appendRunes(out, bytes), bytes[:0]
			start = start && !dropped && len(out) == 0
			dropped = false
			if token == unknown {
				out = append(out, m.unknownText...)
				continue
			}
			if start && (m.dummy || m.trim) {
				var cut bool
				token, cut = strings.CutPrefix(token, metaMark)
				dropped = cut && !m.trim
			}
			out = append(out, strings.ReplaceAll(token, metaMark, " ")...)
		}
		return []string{string(appendRunes(out, bytes))}
	}
}

// appendRunes appends bytes with U+FFFD for each that belongs to no character.
func appendRunes(out, bytes []byte) []byte {
	for len(bytes) > 0 {
		r, n := utf8.DecodeRune(bytes)
		out = utf8.AppendRune(out, r)
		bytes = bytes[n:]
	}
	return out
}
