// Package oci shares plugins through OCI registries and OCI layouts on disk. A module travels as an artifact: its
// manifest as the configuration, the module as the one layer. What is pulled is checked against its digests.
package oci

import (
	"fmt"
	"net"
	"strings"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/registry"
)

// The schemes of references: oci://HOST/NAME and oci-layout://DIR, followed by :TAG or @DIGEST.
const (
	registryScheme = "oci://"
	layoutScheme   = "oci-layout://"
)

// IsReference tells references from what else a recipe's use may name.
func IsReference(use string) bool {
	return strings.HasPrefix(use, registryScheme) || strings.HasPrefix(use, layoutScheme)
}

// A reference names an artifact in a registry or a layout.
type reference struct {
	scheme  string
	where   string // host/name, or folder
	version string // tag or digest
}

func (r reference) String() string { return r.at(r.version) }

// at is the reference to another version.
func (r reference) at(version string) string {
	if r.isDigest(version) {
		return r.scheme + r.where + "@" + version
	}
	return r.scheme + r.where + ":" + version
}

func (reference) isDigest(version string) bool {
	return digest.Digest(version).Validate() == nil
}

func (r reference) pinned() bool { return r.isDigest(r.version) }

// parse reads a reference.
func parse(text string) (reference, error) {
	if dir, ok := strings.CutPrefix(text, layoutScheme); ok {
		return parseLayout(text, dir)
	}
	name, ok := strings.CutPrefix(text, registryScheme)
	if !ok {
		return reference{}, fmt.Errorf("%q is no reference: want %sHOST/NAME:TAG or %sDIR:TAG", text, registryScheme, layoutScheme)
	}
	r, err := registry.ParseReference(name)
	if err != nil {
		return reference{}, fmt.Errorf("reference %s: %w", text, err)
	}
	if r.Reference == "" {
		return reference{}, noVersion(text)
	}
	return reference{registryScheme, r.Registry + "/" + r.Repository, r.Reference}, nil
}

func noVersion(text string) error {
	return fmt.Errorf("reference %s names no version: add :TAG or @sha256:DIGEST", text)
}

func parseLayout(text, rest string) (reference, error) {
	if dir, version, found := strings.Cut(rest, "@"); found {
		if digest.Digest(version).Validate() != nil || dir == "" {
			return reference{}, fmt.Errorf("reference %s: %q is no digest", text, version)
		}
		return reference{layoutScheme, dir, version}, nil
	}
	at := strings.LastIndex(rest, ":")
	if at <= 0 || at+1 == len(rest) || strings.Contains(rest[at:], "/") {
		return reference{}, noVersion(text)
	}
	return reference{layoutScheme, rest[:at], rest[at+1:]}, nil
}

// onLoopback tells whether a registry's host is this machine, which is spoken to without TLS.
func onLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
