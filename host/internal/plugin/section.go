package plugin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/carebot-llm/carebot/sdk"
)

// manifestSection is the custom section of a module that holds its manifest.
const manifestSection = "dp.manifest"

// wasmHeader is magic and version of a core module; a component has another version.
var wasmHeader = []byte("\x00asm\x01\x00\x00\x00")

// Sections of a module that matter here.
const (
	sectionCustom = 0
	sectionStart  = 8
)

// A section is a part of a module: raw is all of it, body what follows its id and size, name that of a custom section.
type section struct {
	id   byte
	name string
	raw  []byte
	body []byte
}

// sections cuts a module into its sections.
func sections(code []byte) ([]section, error) {
	if !bytes.HasPrefix(code, wasmHeader) {
		return nil, errors.New("not a WebAssembly core module (a component must be built as a core module)")
	}
	var all []section
	for at := len(wasmHeader); at < len(code); {
		id := code[at]
		size, n := binary.Uvarint(code[at+1:])
		start := at + 1 + n
		if n <= 0 || size > uint64(len(code)-start) {
			return nil, fmt.Errorf("section %d at byte %d does not fit the module", id, at)
		}
		end := start + int(size)
		s := section{id: id, raw: code[at:end], body: code[start:end]}
		if id == sectionCustom {
			length, n := binary.Uvarint(s.body)
			if n <= 0 || length > uint64(len(s.body)-n) {
				return nil, fmt.Errorf("custom section at byte %d has no name", at)
			}
			s.name, s.body = string(s.body[n:n+int(length)]), s.body[n+int(length):]
		}
		all = append(all, s)
		at = end
	}
	return all, nil
}

// moduleManifest reads the manifest of a module without running it.
func moduleManifest(code []byte) (sdk.Manifest, error) {
	all, err := sections(code)
	if err != nil {
		return sdk.Manifest{}, err
	}
	var body []byte
	for _, s := range all {
		if s.id == sectionStart {
			return sdk.Manifest{}, errors.New("the module has a start section, which would run before its limits hold")
		}
		if s.id == sectionCustom && s.name == manifestSection {
			if body != nil {
				return sdk.Manifest{}, fmt.Errorf("the module has two custom sections %s", manifestSection)
			}
			body = s.body
		}
	}
	if body == nil {
		return sdk.Manifest{}, fmt.Errorf("the module has no custom section %s: pack its manifest into it",
			manifestSection)
	}
	return parseManifest(body)
}

// Pack returns the module with the manifest (JSON) in its custom section dp.manifest, in place of one that is there.
func Pack(module, manifest []byte) ([]byte, error) {
	m, err := parseManifest(manifest)
	if err == nil {
		err = checkManifest(&m)
	}
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	all, err := sections(module)
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	out := bytes.Clone(wasmHeader)
	for _, s := range all {
		if s.id != sectionCustom || s.name != manifestSection {
			out = append(out, s.raw...)
		}
	}
	body := binary.AppendUvarint(nil, uint64(len(manifestSection)))
	body = append(append(body, manifestSection...), manifest...)
	out = binary.AppendUvarint(append(out, sectionCustom), uint64(len(body)))
	return append(out, body...), nil
}
