// Package images holds the compiled kernels.
package images

// Find is the image of a family of kernels for a compute capability.
func Find(family string, major, minor int) ([]byte, error) { return []byte(family), nil }
