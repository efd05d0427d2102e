package wasm

// Version counts the ways in which Instrument has rewritten modules: code that was kept by another version is made
// anew.
const Version = 2
