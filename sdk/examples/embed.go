// Package examples holds small plugins, complete and tested: each kind in each language. They are what `carebot plugin
// new` starts an author with.
package examples

import "embed"

// Files are the examples: LANGUAGE/KIND is a plugin's folder. A name my-KIND in them is to be replaced by the author's.
//
//go:embed */*/*
var Files embed.FS
