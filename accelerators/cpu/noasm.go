//go:build (!amd64 && !arm64) || purego

package cpu

func assemblySets() []*kernelSet { return nil }

// pause is a moment's rest within a spin loop.
func pause() {}
