package examreward

// Characters that may stand around a letter.
const (
	dressing = " \t*_`'\"“”‘’$#"
	openers  = dressing + "([{<【「《〔"
	closers  = dressing + ")]}>】」》〕"
)

// Between the letters of a list.
var separators = words("and/or", "or", "and", "还是", "或者", "或", "和", "及", "与", ",", "、", "/", "&", "+")

// What a letter is part of in Chinese medical terms: B超 (ultrasound) chooses nothing.
var terms = words("超", "型", "细胞", "淋巴", "反应蛋白", "二聚体", "族", "群", "级", "链", "期")

// Species whose genus is cut to a letter: E. coli chooses nothing.
var species = words("coli", "pylori", "influenzae", "difficile", "albicans", "burgdorferi", "cereus", "anthracis",
	"fragilis", "pertussis", "henselae", "tetani", "botulinum", "perfringens", "trachomatis", "pneumoniae", "faecalis",
	"faecium", "histolytica", "granulosus", "gondii", "fumigatus", "baumannii", "diphtheriae", "ducreyi", "jejuni",
	"cloacae")

// letters reads one letter, or a list of them, that starts at i. end is right behind the last one.
func (t *folded) letters(i int) (found options, end int) {
	for {
		o, next := t.letter(t.skip(i, openers))
		if o == 0 {
			return found, end
		}
		found, end = found|o, next
		gap := t.skip(next, closers)
		n := t.has(gap, separators)
		if n == 0 {
			return found, end
		}
		i = gap + n
	}
}

// letter reads a letter that stands alone, or letters that are written together, as ABD. A small letter before another
// word is an article, and so is none.
func (t *folded) letter(i int) (found options, end int) {
	if isLatin(t.at(i - 1)) {
		return 0, i
	}
	end = i
	for end < len(t.text) && option(t.text[end]) != 0 && !(end > i && isSmall(t.text[end])) {
		found |= option(t.text[end])
		end++
	}
	if found == 0 || isLatin(t.at(end)) || t.isPart(end) {
		return 0, i
	}
	if isSmall(t.text[i]) && t.at(end) == ' ' && isLatin(t.at(t.skip(end, " "))) {
		return 0, i
	}
	return found, end
}

func isSmall(r rune) bool { return r >= 'a' && r <= 'z' }

// isPart tells whether the letter that ends before i is part of a term or of the name of a species.
func (t *folded) isPart(i int) bool {
	return t.has(i, terms) > 0 || t.at(i) == '.' && t.has(t.skip(i+1, " *_"), species) > 0
}
