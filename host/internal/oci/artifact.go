package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	layout "oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"
)

// The media types of a plugin.
const (
	artifactType = "application/vnd.carebot.plugin.v1"
	manifestType = "application/vnd.carebot.plugin.manifest.v1+json"
	moduleType   = "application/wasm"
)

// Bounds of what is fetched, in bytes.
const (
	maxModule   = 32 << 20
	maxManifest = 1 << 20
)

// A Plugin is what is shared. The manifest is for those who look into the registry: what counts is the one that is
// packed into the module.
type Plugin struct {
	Name, Version string
	Manifest      []byte // JSON; not fetched
	Module        []byte
}

// Push puts a plugin where the reference says, under its tag, and returns the reference with the digest in place of the
// tag. The same plugin gives the same digest.
func Push(ctx context.Context, to string, p Plugin) (pinned string, err error) {
	r, err := parse(to)
	if err != nil {
		return "", err
	}
	if r.pinned() {
		return "", fmt.Errorf("push to %s: want a tag, the digest follows from the content", to)
	}
	target, err := r.open()
	if err != nil {
		return "", fmt.Errorf("push to %s: %w", to, err)
	}
	root, err := push(ctx, target, p)
	if err == nil {
		err = target.Tag(ctx, root, r.version)
	}
	if err != nil {
		return "", fmt.Errorf("push to %s: %w", to, err)
	}
	return r.at(root.Digest.String()), nil
}

// push stores the parts of a plugin and returns the descriptor that holds them together.
func push(ctx context.Context, target oras.Target, p Plugin) (root ocispec.Descriptor, err error) {
	module, err := pushBytes(ctx, target, moduleType, p.Module)
	if err != nil {
		return root, err
	}
	module.Annotations = map[string]string{ocispec.AnnotationTitle: p.Name + ".wasm"}
	config, err := pushBytes(ctx, target, manifestType, p.Manifest)
	if err != nil {
		return root, err
	}
	return oras.PackManifest(ctx, target, oras.PackManifestVersion1_1, artifactType, oras.PackManifestOptions{
		ConfigDescriptor: &config, Layers: []ocispec.Descriptor{module},
		ManifestAnnotations: map[string]string{
			ocispec.AnnotationCreated: "1970-01-01T00:00:00Z", // the same plugin has the same digest
			ocispec.AnnotationTitle:   p.Name, ocispec.AnnotationVersion: p.Version,
		},
	})
}

// pushBytes stores a blob unless it is there.
func pushBytes(ctx context.Context, target oras.Target, mediaType string, blob []byte) (ocispec.Descriptor, error) {
	d := content.NewDescriptorFromBytes(mediaType, blob)
	err := target.Push(ctx, d, bytes.NewReader(blob))
	if errors.Is(err, errdef.ErrAlreadyExists) {
		err = nil
	}
	return d, err
}

// open opens the registry's repository or the layout. Registries on this machine are spoken to without TLS;
// credentials are those that Docker keeps.
func (r reference) open() (oras.Target, error) {
	if r.scheme == layoutScheme {
		return layout.New(r.where)
	}
	repo, err := remote.NewRepository(r.where)
	if err != nil {
		return nil, err
	}
	repo.PlainHTTP = onLoopback(repo.Reference.Host())
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, fmt.Errorf("read Docker's credentials: %w", err)
	}
	repo.Client = &auth.Client{Client: retry.DefaultClient, Cache: auth.NewCache(), Credential: credentials.Credential(store)}
	return repo, nil
}

// Pull fetches a plugin and returns it with the reference by digest.
func Pull(ctx context.Context, from string) (p Plugin, pinned string, err error) {
	a, err := fetch(ctx, from)
	if err != nil {
		return p, "", fmt.Errorf("pull %s: %w", from, err)
	}
	return a.plugin, a.pinned, nil
}

// fetched is an artifact that was fetched; its parts have the digests that name them.
type fetched struct {
	root   []byte // manifest of the artifact
	plugin Plugin
	pinned string
}

func fetch(ctx context.Context, from string) (f fetched, err error) {
	r, err := parse(from)
	if err != nil {
		return f, err
	}
	if _, err := os.Stat(r.where); r.scheme == layoutScheme && err != nil {
		return f, err // a layout is not made by reading it
	}
	target, err := r.open()
	if err != nil {
		return f, err
	}
	options := oras.DefaultFetchBytesOptions
	options.MaxBytes = maxManifest
	root, text, err := oras.FetchBytes(ctx, target, r.version, options)
	if err != nil {
		return f, err
	}
	parts, err := parseRoot(text)
	if err != nil {
		return f, err
	}
	f = fetched{root: text, pinned: r.at(root.Digest.String()), plugin: parts.named()}
	f.plugin.Module, err = fetchModule(ctx, target, parts.Layers[0])
	return f, err
}

// A root is the manifest of an artifact that is a plugin.
type root struct{ ocispec.Manifest }

func (r root) named() Plugin {
	return Plugin{Name: r.Annotations[ocispec.AnnotationTitle], Version: r.Annotations[ocispec.AnnotationVersion]}
}

func parseRoot(text []byte) (r root, err error) {
	if err := json.Unmarshal(text, &r.Manifest); err != nil {
		return r, fmt.Errorf("the artifact's manifest: %w", err)
	}
	switch {
	case r.ArtifactType != artifactType:
		return r, fmt.Errorf("the artifact is %q, not a plugin (%s)", r.ArtifactType, artifactType)
	case r.Config.MediaType != manifestType:
		return r, fmt.Errorf("the plugin's manifest is %q, not %s", r.Config.MediaType, manifestType)
	case len(r.Layers) != 1 || r.Layers[0].MediaType != moduleType:
		return r, fmt.Errorf("the artifact has not one layer of %s: %s", moduleType, strings.Join(mediaTypes(r.Layers), ", "))
	}
	return r, nil
}

func mediaTypes(layers []ocispec.Descriptor) (types []string) {
	for _, l := range layers {
		types = append(types, l.MediaType)
	}
	return types
}

// fetchModule fetches the module, whose size and digest are checked.
func fetchModule(ctx context.Context, target oras.Target, d ocispec.Descriptor) ([]byte, error) {
	if d.Size > maxModule {
		return nil, fmt.Errorf("the module of %d bytes is larger than %d MiB", d.Size, maxModule>>20)
	}
	module, err := content.FetchAll(ctx, target, d)
	if err != nil {
		return nil, fmt.Errorf("fetch the module %s: %w", d.Digest, err)
	}
	return module, nil
}
