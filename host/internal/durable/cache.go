package durable

import (
	"os"
	"path/filepath"
)

// CacheDir is the folder of what can be made again: CAREBOT_CACHE, or carebot in the user's folder of caches.
func CacheDir() string {
	if dir := os.Getenv("CAREBOT_CACHE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil { // no home directory, as in a container
		dir = os.TempDir()
	}
	return filepath.Join(dir, "carebot")
}
