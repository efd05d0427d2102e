package wasm

import "strings"

// Numbers of the sections.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
	sectionCount
)

// manifestSection is the custom section that stays.
const manifestSection = "dp.manifest"

// sections says in which order they come, and how each is read.
var sections [sectionCount]struct {
	name  string
	place int
	read  func(*module, *reader)
}

func init() {
	set := func(id, place int, name string, read func(*module, *reader)) {
		sections[id].name, sections[id].place, sections[id].read = name, place, read
	}
	set(sectionType, 1, "type", (*module).readTypes)
	set(sectionImport, 2, "import", (*module).readImports)
	set(sectionFunction, 3, "function", (*module).readFunctions)
	set(sectionTable, 4, "table", (*module).readTables)
	set(sectionMemory, 5, "memory", (*module).readMemories)
	set(sectionGlobal, 6, "global", (*module).readGlobals)
	set(sectionExport, 7, "export", (*module).readExports)
	set(sectionStart, 8, "start", (*module).readStart)
	set(sectionElement, 9, "element", (*module).readElements)
	set(sectionDataCount, 10, "data count", (*module).readDataCount)
	set(sectionCode, 11, "code", (*module).readCode)
	set(sectionData, 12, "data", (*module).readData)
}

// items reads how many things a section has and calls read for each.
func (m *module) items(r *reader, id, limit int, read func()) {
	m.counts[id] = r.count(sections[id].name+"s", limit)
	m.sections[id].start = r.at
	for range m.counts[id] {
		if r.err != nil {
			return
		}
		read()
	}
}

func (m *module) readTypes(r *reader) {
	m.items(r, sectionType, maxTypes, func() { m.types = append(m.types, r.funcType()) })
}

// Kinds of imports and exports.
const (
	kindFunction = iota
	kindTable
	kindMemory
	kindGlobal
)

func (m *module) readImports(r *reader) {
	m.items(r, sectionImport, maxImports, func() {
		from, name := r.name(), r.name()
		if from == YieldModule {
			r.fail("the import %s.%s is the host's own", from, name)
		}
		m.imports = append(m.imports, from+"."+name)
		m.readImport(r, name)
	})
}

func (m *module) readImport(r *reader, name string) {
	switch kind := r.byte(); kind {
	case kindFunction:
		m.functions = append(m.functions, r.index("type", len(m.types)))
		m.imported.functions++
	case kindTable:
		r.referenceType()
		r.limits()
		m.imported.tables++
	case kindMemory:
		r.limits()
		m.imported.memories++
	case kindGlobal:
		if m.readGlobalType(r); len(m.mutable) > 0 {
			r.fail("the imported global %q is mutable, which cannot be saved and restored", name)
		}
		m.imported.globals++
	default:
		r.fail("import %q: kind %d is not known", name, kind)
	}
}

// readGlobalType counts one more global.
func (m *module) readGlobalType(r *reader) {
	r.valueType()
	switch mutable := r.byte(); mutable {
	case 0:
	case 1:
		m.mutable = append(m.mutable, m.globals)
	default:
		r.fail("global %d: mutability %d is not known", m.globals, mutable)
	}
	m.globals++
}

func (m *module) readFunctions(r *reader) {
	m.items(r, sectionFunction, maxFuncs, func() {
		m.functions = append(m.functions, r.index("type", len(m.types)))
	})
}

func (m *module) readTables(r *reader) {
	m.items(r, sectionTable, maxTables, func() {
		t := table{element: r.byte()}
		if !isReference(t.element) {
			r.fail("table %d: element type 0x%02x is not known", len(m.tables), t.element)
		}
		t.limits = r.limits()
		if bound := m.tableBound(); t.min > bound {
			r.fail("table %d has %d elements, at most %d are allowed", len(m.tables), t.min, bound)
		}
		m.tables = append(m.tables, t)
	})
}

// tableBound is how far each table may grow: tables are not in the memory that the host limits.
func (m *module) tableBound() uint32 { return uint32(maxTable / m.counts[sectionTable]) }

func (m *module) readMemories(r *reader) {
	m.items(r, sectionMemory, 1, func() { r.limits() })
}

func (m *module) readGlobals(r *reader) {
	m.items(r, sectionGlobal, maxGlobals, func() {
		m.readGlobalType(r)
		m.readConstant(r, sectionGlobal)
	})
}

func (m *module) readExports(r *reader) {
	m.items(r, sectionExport, maxExports, func() {
		name := r.name()
		if strings.HasPrefix(name, ownPrefix) {
			r.fail("the export %q has a name of the host's own", name)
		}
		if kind := r.byte(); kind == kindFunction {
			m.readFunction(r, sectionExport)
		} else if kind == kindGlobal {
			r.index("global", m.globals)
		} else {
			r.u32()
		}
	})
}

func (m *module) readStart(r *reader) {
	r.fail("a start function would run before its limits are set (export _initialize instead)")
}

func (m *module) readDataCount(r *reader) { r.u32() }

func (m *module) readCode(r *reader) {
	m.items(r, sectionCode, maxFuncs, func() {
		body := r.part(r.count("bytes of a function", maxBody))
		m.bodies = append(m.bodies, span{body.at, body.end})
	})
}

func (m *module) readData(r *reader) {
	m.items(r, sectionData, maxSegments, func() {
		flags := r.u32()
		if flags > 2 {
			r.fail("data segment: flags %d are not known", flags)
		}
		if flags == 2 {
			r.u32() // memory
		}
		if flags != 1 {
			m.readConstant(r, sectionData)
		}
		r.bytes(int(r.u32()))
	})
}

// readFunction reads the number of a function, which the rewriting changes.
func (m *module) readFunction(r *reader, id int) {
	at := r.at
	f := r.index("function", len(m.functions))
	m.renumber[id] = append(m.renumber[id], edit{kind: editFunction, at: at, end: r.at, value: int64(f)})
}

// readConstant reads the expression that a global, a segment's offset or an element starts with.
func (m *module) readConstant(r *reader, id int) {
	switch op := r.byte(); op {
	case opI32Const:
		r.signed(32)
	case opI64Const:
		r.signed(64)
	case opF32Const:
		r.bytes(4)
	case opF64Const:
		r.bytes(8)
	case opFD:
		if r.u32() != fdV128Const {
			r.fail("a vector operation is no constant")
		}
		r.bytes(16)
	case opGlobalGet:
		r.index("global", m.imported.globals)
	case opRefNull:
		r.referenceType()
	case opRefFunc:
		m.readFunction(r, id)
	default:
		r.fail("opcode 0x%02x is not supported in a constant", op)
	}
	if end := r.byte(); r.err == nil && end != opEnd {
		r.fail("a constant is one instruction")
	}
}
