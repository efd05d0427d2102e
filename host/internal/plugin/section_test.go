package plugin

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPackedManifestIsReadBack(t *testing.T) {
	module := honest(nil).assemble()
	if _, err := moduleManifest(module); err == nil {
		t.Fatal("a module without a manifest has one")
	}
	older := bareManifest
	older.Version = "0"
	packed, err := Pack(module, mustJSON(t, older))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Pack(packed, mustJSON(t, bareManifest))
	if err != nil {
		t.Fatal(err)
	}
	got, err := moduleManifest(again)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bareManifest, got); diff != "" {
		t.Error(diff)
	}
	if n := bytes.Count(again, []byte(manifestSection)); n != 1 {
		t.Errorf("%d manifests are in the module", n)
	}
	if !bytes.HasPrefix(again, module) {
		t.Error("packing changed the module")
	}
}

func TestPackRefusesWhatCannotBeLoaded(t *testing.T) {
	_, err := Pack([]byte("\x00asm\x0d\x00\x01\x00"), mustJSON(t, bareManifest))
	wantError(t, err, "not a WebAssembly core module")
	_, err = Pack(honest(nil).assemble(), []byte(`{"abi": 1}`))
	wantError(t, err, "no kinds")
	_, err = Pack(honest(nil).assemble(), bytes.Repeat([]byte(" "), maxManifest+1))
	wantError(t, err, "larger than")
}

func FuzzSections(f *testing.F) {
	packed, err := Pack(honest(nil).assemble(), mustJSON(f, bareManifest))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add(packed[:len(packed)-1])
	f.Add(append(bytes.Clone(wasmHeader), 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01))
	f.Fuzz(func(t *testing.T, code []byte) {
		all, err := sections(code)
		if err != nil {
			return
		}
		whole := bytes.Clone(wasmHeader)
		for _, s := range all {
			whole = append(whole, s.raw...)
		}
		if !bytes.Equal(whole, code) {
			t.Error("the sections are not the module")
		}
		_, _ = moduleManifest(code)
	})
}
