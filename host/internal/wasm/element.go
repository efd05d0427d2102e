package wasm

// Flags of a segment of elements.
const (
	elementPassive     = 1 << iota // or declared only
	elementExplicit                // names its table, or is declared only
	elementExpressions             // has constants instead of functions' numbers
)

func (m *module) readElements(r *reader) {
	m.items(r, sectionElement, maxSegments, func() {
		flags := r.u32()
		if flags > 7 {
			r.fail("segment of elements: flags %d are not known", flags)
		}
		if flags&elementPassive == 0 {
			if flags&elementExplicit != 0 {
				r.u32() // table
			}
			m.readConstant(r, sectionElement)
		}
		if flags&(elementPassive|elementExplicit) != 0 {
			readElementKind(r, flags)
		}
		m.readElementList(r, flags)
	})
}

func readElementKind(r *reader, flags uint32) {
	if flags&elementExpressions != 0 {
		r.referenceType()
	} else if kind := r.byte(); r.err == nil && kind != kindFunction {
		r.fail("kind of elements %d is not known", kind)
	}
}

func (m *module) readElementList(r *reader, flags uint32) {
	for range r.count("elements", maxTable) {
		if r.err != nil {
			return
		}
		if flags&elementExpressions != 0 {
			m.readConstant(r, sectionElement)
		} else {
			m.readFunction(r, sectionElement)
		}
	}
}
