package wasm_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/wasm"
)

func TestModulesAreRefusedWithAReason(t *testing.T) {
	types := section(1, 1, 0x60, 0, 0)
	nested := strings.Repeat("\x02\x40", 1<<14+1)
	for name, c := range map[string]struct {
		code []byte
		want string
	}{
		"empty":             {nil, "no WebAssembly module"},
		"component":         {[]byte("\x00asm\x0d\x00\x01\x00"), "components"},
		"too large":         {make([]byte, 33<<20), "at most 33554432"},
		"start":             {module(types, section(3, 1, 0), section(8, 0)), "byte 20: a start function"},
		"order":             {module(section(3, 0), types), "type section is repeated or out of order"},
		"twice":             {module(types, types), "repeated"},
		"unknown section":   {module(section(13, 0)), "section 13 is not known"},
		"cut":               {program("\x01")[:35], "bytes are said to follow"},
		"rest":              {module(section(1, 1, 0x60, 0, 0, 7)), "1 bytes too many"},
		"bodies":            {module(types, section(3, 1, 0)), "1 functions have 0 bodies"},
		"many types":        {module(section(1, 0xff, 0xff, 0xff, 0x7f)), "at most 65536"},
		"few bytes":         {module(section(1, 9)), "do not fit in"},
		"64-bit memory":     {module(section(5, 1, 4, 1)), "64-bit memory"},
		"two memories":      {module(section(5, 2, 0, 1, 0, 1)), "at most 1"},
		"large table":       {module(section(4, 1, 0x70, 0, 0x81, 0x80, 0x40)), "1048577 elements"},
		"mutable import":    {module(section(2, 1, 1, 'a', 1, 'b', 3, 0x7f, 1)), "is mutable"},
		"own import":        {module(section(2, append([]byte{1, 7}, "carebot\x01f\x03\x7f\x00"...)...)), "host's own"},
		"own export":        {module(section(7, append([]byte{1, 12}, "carebot.fuel\x02\x00"...)...)), "host's own"},
		"name":              {module(section(0, 1, 0xff)), "not UTF-8"},
		"tail call":         {program("\x12\x00"), "function 0: byte 35: opcode [0x12] is not supported: return_call"},
		"threads":           {program("\x01", "\x01\xfe\x00"), "function 1: byte 41: opcode [0xfe] is not supported"},
		"exceptions":        {program("\x06\x40\x0b"), "exception handling"},
		"garbage collector": {program("\xfb\x00"), "garbage collection"},
		"relaxed vectors":   {program("\xfd\x80\x02"), "opcode [0xfd 0x100] is not known"},
		"vector gap":        {program("\xfd\x9a\x01"), "opcode [0xfd 0x9a] is not known"},
		"bulk gap":          {program("\xfc\x12"), "opcode [0xfc 0x12] is not known"},
		"label":             {program("\x0c\x01"), "label 1, there are 1"},
		"local":             {program("\x20\x00\x1a"), "local 0, there are 0"},
		"global":            {program("\x23\x00\x1a"), "global 0, there are 0"},
		"function":          {program("\x10\x01"), "function 1, there are 1"},
		"block's type":      {program("\x02\x01\x0b"), "type 1, there are 1"},
		"code after end":    {program("\x0b\x01"), "code after"},
		"no end":            {program("\x02\x40"), "unexpected end"},
		"nested":            {program(nested), "nested blocks"},
		"locals":            {withLocals(50_001), "more than 50000 locals"},
	} {
		_, err := wasm.Instrument(c.code)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// withLocals is a module of one function with locals of one type.
func withLocals(n uint64) []byte {
	body := append(binary.AppendUvarint([]byte{1}, n), 0x7f, 0x0b)
	return module(section(1, 1, 0x60, 0, 0), section(3, 1, 0), section(10, append([]byte{1}, sized(body...)...)...))
}
