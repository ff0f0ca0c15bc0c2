package fleet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/valkeyfs/valkeyfs/aof"
	"github.com/valkeyfs/valkeyfs/internal/s3"
	"github.com/valkeyfs/valkeyfs/internal/source"
)

// bucket is a listing of s3://bucket/prefix that puts logs of several files
// together. It is listed twice, first for the manifests, so that what is held in
// memory is the logs and not the objects.
type bucket struct {
	s        *submit
	c        *minio.Client
	name     string
	location string
	logs     map[string][]*bucketLog // by directory
}

// bucketLog is a log that a manifest in a bucket names.
type bucketLog struct {
	manifest string // key
	stem     string // what the names of its files begin with
	history  map[string]bool
	parts    map[string]bool
	input    input
	stamps   []byte // of its objects, in the order of the listing
}

// bucket submits what lies below s3://bucket/prefix.
func (s *submit) bucket(ctx context.Context, location string) error {
	c, err := s.o.S3.Client()
	if err != nil {
		return err
	}
	name, prefix := s3.Split(location)
	s.listed.within(s3.Scheme + name + "/" + prefix)
	b := &bucket{s: s, c: c, name: name, location: location, logs: map[string][]*bucketLog{}}
	if err := b.each(ctx, prefix, b.manifest); err != nil {
		return err
	}
	if err := b.each(ctx, prefix, b.object); err != nil {
		return err
	}
	for _, dir := range slices.Sorted(maps.Keys(b.logs)) {
		for _, l := range b.logs[dir] {
			sum := sha256.Sum256(l.stamps)
			l.input.stamp = "etags:" + hex.EncodeToString(sum[:16])
			if err := s.add(ctx, l.input); err != nil {
				return err
			}
		}
	}
	return nil
}

// each calls do for each object.
func (b *bucket) each(ctx context.Context, prefix string, do func(context.Context, minio.ObjectInfo) error) error {
	ctx, cancel := context.WithCancel(ctx) // ends the listing
	defer cancel()
	for o := range b.c.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("%s: %w", b.location, o.Err)
		}
		if strings.HasSuffix(o.Key, "/") {
			continue
		}
		if err := do(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// maxManifest is the longest object that is taken for a manifest.
const maxManifest = 1 << 20

// manifest notes a log. What is named like a manifest and names nothing is an
// object as any.
func (b *bucket) manifest(ctx context.Context, o minio.ObjectInfo) error {
	dir, base := path.Split(o.Key)
	stem, ok := strings.CutSuffix(base, ".manifest")
	if !ok || o.Size == 0 || o.Size > maxManifest {
		return nil
	}
	r, err := b.c.GetObject(ctx, b.name, o.Key, minio.GetObjectOptions{})
	if err != nil {
		return fmt.Errorf("%s%s/%s: %w", s3.Scheme, b.name, o.Key, err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return fmt.Errorf("%s%s/%s: %w", s3.Scheme, b.name, o.Key, err)
	}
	m, _ := aof.ParseManifest(bytes.NewReader(text)) // what is wrong with it is for the scan to say
	if !source.IsManifest(text) || len(m.Files) == 0 {
		return nil
	}
	l := &bucketLog{manifest: o.Key, stem: stem, history: map[string]bool{}, parts: map[string]bool{}, input: b.input(o)}
	l.input.size = 0
	for _, f := range m.Files {
		if f.Type == aof.History {
			l.history[f.Name] = true
		} else {
			l.parts[f.Name] = true
		}
	}
	b.logs[dir] = append(b.logs[dir], l)
	return nil
}

// object submits an object, or counts it to its log.
func (b *bucket) object(ctx context.Context, o minio.ObjectInfo) error {
	in := b.input(o)
	dir, base := path.Split(o.Key)
	logs := b.logs[dir]
	for _, l := range logs {
		if o.Key == l.manifest || l.parts[base] {
			l.input.size += o.Size
			l.stamps = fmt.Appendf(l.stamps, "%s %s\n", version(o), o.Key)
			return nil
		}
	}
	if o.Size == 0 {
		return b.s.list(in.path) // it is there
	}
	for _, l := range logs {
		switch {
		case l.history[base]:
			in.role = source.HistoryFile
		case in.role == source.NoRole && strings.HasPrefix(base, l.stem+"."):
			in.role = source.Orphan
		}
	}
	if strings.HasPrefix(base, "temp-") {
		in.role = source.Temporary
	}
	return b.s.add(ctx, in)
}

func (b *bucket) input(o minio.ObjectInfo) input {
	at := s3.Scheme + b.name + "/" + o.Key
	return input{path: at, instance: path.Base(path.Dir(at)), size: o.Size, stamp: "etag:" + version(o),
		hash: func(context.Context) (string, error) { return "", nil }} // another version is another content
}

// version changes when what an object holds does. Of what did not come through it a
// gateway to a file system may have no ETag.
func version(o minio.ObjectInfo) string {
	if o.ETag != "" {
		return o.ETag
	}
	return fmt.Sprintf("%d bytes of %s", o.Size, o.LastModified.UTC().Format(time.RFC3339Nano))
}
