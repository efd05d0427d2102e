//go:build !amd64 || purego

package cpu

func assemblySets() []*kernelSet { return nil }

// pause is a moment's rest within a spin loop.
func pause() {}
