// Package qualityrules holds the plugin quality-rules: a WebAssembly module, built from the C beside it by
// go generate.
package qualityrules

import _ "embed"

//go:generate env CAREBOT_SDK=../../sdk go run ../../host/cmd/carebot plugin build

// Module is the module with its manifest.
//
//go:embed quality-rules.wasm
var Module []byte
