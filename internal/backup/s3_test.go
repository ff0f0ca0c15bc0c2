package backup_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/valkeyfs/valkeyfs/internal/backup"
	"github.com/valkeyfs/valkeyfs/internal/s3"
	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// s3Server is a real S3 server that backups are sent to.
type s3Server struct {
	*servertest.S3
	t *testing.T
}

func newS3(t *testing.T) *s3Server {
	t.Helper()
	return &s3Server{S3: servertest.NewS3(t), t: t}
}

func (s *s3Server) open(location string) (backup.Store, error) {
	return backup.OpenS3(location, backup.S3Options{Place: s3.Place{Endpoint: s.Addr, Region: "us-east-1", Insecure: true}, Now: time.Now})
}

// A real S3 server holds sets as a directory does.
func TestS3(t *testing.T) {
	srv := newS3(t)
	dir, want := dataDir(t)
	h := newHost(t)
	store, err := srv.open("s3://bucket/backups")
	if err != nil {
		t.Fatal(err)
	}
	h.over = store
	first := h.backup(dir)
	if r := h.backup(dir); r.Reused != 3 || r.Manifest.Previous.ID != first.Manifest.ID {
		t.Errorf("%d members are referred to, the set before is %+v", r.Reused, r.Manifest.Previous)
	}
	h.restores(want)
	_, ref, err := backup.Split(t.Context(), "s3://bucket/backups/db/1/"+first.Manifest.ID, srv.open)
	if err != nil || ref != (backup.Ref{Label: "db/1", ID: first.Manifest.ID}) {
		t.Errorf("%+v, %v", ref, err)
	}
	plan, err := backup.PlanPrune(t.Context(), store, "", backup.Policy{Last: 1}, h.now)
	if err == nil {
		err = plan.Apply(t.Context(), store)
	}
	if err != nil {
		t.Fatal(err)
	}
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems after pruning: %v", kinds)
	}
	// What lies there was changed.
	for name, data := range read(t, srv.Dir) {
		if strings.HasSuffix(name, "m0001.zst.age") {
			os.WriteFile(filepath.Join(srv.Dir, name), []byte(strings.Replace(data, "X25519", "X25518", 1)), 0o600)
		}
	}
	if kinds := h.verify(false, backup.ChainOptions{}); len(kinds) == 0 {
		t.Error("a change was not found")
	}
}

// A server that dies under a backup leaves no set: the program says so in one
// line, and when the server is back the next backup succeeds.
func TestS3Dies(t *testing.T) {
	srv := newS3(t)
	dir := t.TempDir()
	noise := make([]byte, 12<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	write(t, dir, map[string][]byte{"nodes.conf": noise, "dump.rdb": rdb("k", "v")})
	h := newHost(t)
	store, err := srv.open("s3://bucket")
	if err != nil {
		t.Fatal(err)
	}
	h.over = store
	args := h.backupArgs(dir, "s3://bucket", append(srv.Flags(), "--include", "nodes.conf")...)
	slow := h.program(nil, append(args, "--limit-rate", "4MiB")...)
	var said strings.Builder
	slow.Stdout, slow.Stderr = &said, &said
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if all, err := store.List(t.Context(), ""); err == nil && len(all) > 0 { // the first member is there
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing arrives at the server")
		}
	}
	srv.Stop()
	slow.Wait()
	if status := slow.ProcessState.ExitCode(); status != 4 || strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), ".zst.age") {
		t.Errorf("exit status %d: %s", status, said.String())
	}
	if strings.Contains(said.String(), srv.Secret) {
		t.Error("the credential is in the message")
	}
	srv.Start()
	if l, err := backup.List(t.Context(), store, ""); err != nil || len(l.Sets) != 0 || len(l.Incomplete) > 1 {
		t.Errorf("%+v, %v", l, err)
	}
	left, err := os.ReadFile(filepath.Join(h.files, "state", "valkeyfs", "backup", strings.ReplaceAll(h.o.Label, "/", "_")+".left"))
	if status, said := h.cron(nil, args...); status != 0 || said != "" {
		t.Errorf("the next backup: exit status %d: %s", status, said)
	}
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
	if err != nil { // the server died before it had confirmed the member
		return
	}
	if b, err := backup.ParseBegun(left); err != nil || h.newest().Manifest.ID != b.ID {
		t.Errorf("the set that was begun, %+v, is not gone on with: %v", b, err)
	}
}

// putOnly makes a user who may put objects into the bucket and nothing else, and
// returns the environment that the program finds him in.
func (s *s3Server) putOnly() []string {
	s.t.Helper()
	const user, secret = "putter", "synthetic-putter"
	cmd := servertest.Tool(s.t, "versitygw", "admin", "--access", s.User, "--secret", s.Secret, "--endpoint-url", "http://"+s.Addr,
		"create-user", "--access", user, "--secret", secret, "--role", "user")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":[%q]},"Action":["s3:PutObject"],"Resource":["arn:aws:s3:::bucket/*"]}]}`, user)
	if err := s.Client().SetBucketPolicy(s.t.Context(), "bucket", policy); err != nil {
		s.t.Fatal(err)
	}
	return append(os.Environ(), "AWS_ACCESS_KEY_ID="+user, "AWS_SECRET_ACCESS_KEY="+secret)
}

// A credential that may only put objects makes a chain of sets, small members and
// large ones; it can neither list, read nor remove them.
func TestS3PutOnly(t *testing.T) {
	srv := newS3(t)
	env := srv.putOnly()
	dir, want := dataDir(t)
	noise := make([]byte, 40<<20) // more than one part
	rand.NewChaCha8([32]byte{}).Read(noise)
	write(t, dir, map[string][]byte{"nodes.conf": noise})
	want["nodes.conf"] = string(noise)
	h := newHost(t)
	as := func(args ...string) (int, string) {
		cmd := h.program(nil, args...)
		cmd.Env = append(cmd.Env, env[len(env)-2:]...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(out)
	}
	for range 2 {
		if status, said := as(h.backupArgs(dir, "s3://bucket/b", append(srv.Flags(), "--include", "nodes.conf")...)...); status != 0 || said != "" {
			t.Fatalf("exit status %d: %s", status, said)
		}
	}
	for _, args := range [][]string{{"list", "s3://bucket/b"}, {"verify", "s3://bucket/b"}, {"prune", "s3://bucket/b", "--keep-last", "1", "--confirm"}} {
		if status, said := as(append(args, srv.Flags()...)...); status != 4 || !strings.Contains(said, "s3://bucket/b: access denied") {
			t.Errorf("%s by him: exit status %d: %s", args[0], status, said)
		}
	}
	store, err := srv.open("s3://bucket/b")
	if err != nil {
		t.Fatal(err)
	}
	h.over = store
	l, err := backup.List(t.Context(), store, "")
	if err != nil || len(l.Sets) != 2 {
		t.Fatalf("%d sets, %v", len(l.Sets), err)
	}
	if p := h.newest().Manifest.Previous; p == nil || p.ID != l.Sets[0].ID {
		t.Errorf("the set before is %+v", p)
	}
	h.restores(want)
}

// What cannot be listed is named.
func TestS3NoBucket(t *testing.T) {
	store, err := newS3(t).open("s3://elsewhere/b")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.List(t.Context(), ""); err == nil || !strings.HasPrefix(err.Error(), "s3://elsewhere/b: ") {
		t.Errorf("the error is %v", err)
	}
}

// Killed at any moment, backups by such a credential leave a chain that is whole:
// what names the set before is on the host, and a set that was all but complete
// is completed by the next one.
func TestS3PutOnlyKilled(t *testing.T) {
	srv := newS3(t)
	env := srv.putOnly()
	dir, _ := dataDir(t)
	h := newHost(t)
	run := func() *exec.Cmd {
		cmd := h.program(nil, h.backupArgs(dir, "s3://bucket/b", srv.Flags()...)...)
		cmd.Env = append(cmd.Env, env[len(env)-2:]...)
		return cmd
	}
	begin := time.Now()
	if out, err := run().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(begin)
	killed := 0
	for range rounds(20) {
		cmd := run()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole/2 + time.Duration(rand.Int64N(int64(whole)/2)))
		cmd.Process.Kill()
		if cmd.Wait() != nil {
			killed++
		}
	}
	if out, err := run().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	store, err := srv.open("s3://bucket/b")
	if err != nil {
		t.Fatal(err)
	}
	h.over = store
	l, err := backup.List(t.Context(), store, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d killed: %d sets, %d incomplete ones", killed, len(l.Sets), len(l.Incomplete))
	if kinds := h.verify(true, backup.ChainOptions{}); kinds != nil {
		t.Errorf("problems: %v", kinds)
	}
}

// With --s3-retain the server keeps every object of a set for that long, whoever
// asks it to remove one.
func TestS3Retain(t *testing.T) {
	srv := newS3(t)
	c := srv.Client()
	if err := c.MakeBucket(t.Context(), "locked", minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	dir, _ := dataDir(t)
	h := newHost(t)
	before := time.Now()
	if status, said := h.cron(nil, h.backupArgs(dir, "s3://locked", append(srv.Flags(), "--s3-retain", "30d")...)...); status != 0 {
		t.Fatalf("exit status %d: %s", status, said)
	}
	objects := 0
	for o := range c.ListObjects(t.Context(), "locked", minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		objects++
		info, err := c.StatObject(t.Context(), "locked", o.Key, minio.StatObjectOptions{VersionID: o.VersionID})
		until, _ := time.Parse(time.RFC3339, info.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"))
		if err != nil || info.Metadata.Get("X-Amz-Object-Lock-Mode") != "COMPLIANCE" || until.Before(before.Add(30*24*time.Hour-time.Minute)) || until.After(time.Now().Add(30*24*time.Hour+time.Minute)) {
			t.Errorf("%s is kept until %v, %v", path.Base(o.Key), until, err)
		}
		if err := c.RemoveObject(t.Context(), "locked", o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID}); err == nil {
			t.Errorf("%s was removed", path.Base(o.Key))
		}
	}
	if objects != 8 { // members, the inner manifest, signature and manifest
		t.Errorf("%d objects", objects)
	}
	// A bucket without a lock refuses, and that is no set.
	if status, said := h.cron(nil, h.backupArgs(dir, "s3://bucket", append(srv.Flags(), "--s3-retain", "30d")...)...); status != 4 || strings.Count(said, "\n") != 1 {
		t.Errorf("exit status %d: %s", status, said)
	}
}
