//go:build cuda

package cublaslt

import (
	"os"
	"path/filepath"
	"slices"
)

// names are the versions that are known to work, the newest first.
var names = []string{"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"}

// Places is where the library may be. A set CAREBOT_CUBLASLT is the only one; empty, it means none.
func Places() []string {
	if file, set := os.LookupEnv("CAREBOT_CUBLASLT"); set {
		return slices.DeleteFunc([]string{file}, func(s string) bool { return s == "" })
	}
	places := slices.Clone(names) // the loader's own search
	for _, folder := range folders() {
		for _, name := range names {
			found, _ := filepath.Glob(filepath.Join(folder, name)) // a folder that is no pattern holds nothing
			slices.Sort(found)
			slices.Reverse(found)
			places = append(places, found...)
		}
	}
	return places
}

// folders are patterns of where toolkits and Python environments keep the library.
func folders() []string {
	all := []string{"/usr/local/cuda*/lib64"}
	if home := os.Getenv("CUDA_HOME"); home != "" {
		all = slices.Insert(all, 0, filepath.Join(home, "lib64"))
	}
	for _, environment := range environments() {
		packages := filepath.Join(environment, "lib", "python3*", "*-packages", "nvidia")
		all = append(all, filepath.Join(packages, "cu13", "lib"), filepath.Join(packages, "cublas", "lib"),
			filepath.Join(environment, "lib"))
	}
	return all
}

// environments are the folders of Python environments: the one that is active, the user's and the system's.
func environments() []string {
	all := []string{os.Getenv("VIRTUAL_ENV"), os.Getenv("CONDA_PREFIX")}
	if home := os.Getenv("HOME"); home != "" {
		all = append(all, filepath.Join(home, ".local"))
	}
	all = slices.DeleteFunc(all, func(folder string) bool { return folder == "" })
	return append(all, "/usr/local", "/usr")
}
