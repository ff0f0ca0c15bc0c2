package servertest

import (
	"strings"
	"testing"
)

func TestServer(t *testing.T) {
	Each(t, func(t *testing.T, s Server) {
		a := s.Start(t, "")
		resp := "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n*1\r\n$4\r\nNONE\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n"
		failed, err := a.Replay(strings.NewReader(resp))
		if err != nil || len(failed) != 2 {
			t.Fatalf("Replay: %q, %v; want two error replies", failed, err)
		}
		if v := a.Must(t, "MGET", "a", "none"); len(v.([]any)) != 2 || v.([]any)[0] != "b" || v.([]any)[1] != nil {
			t.Errorf("MGET: %v", v)
		}
		digest := a.Digest(t)
		a.Must(t, "SAVE")
		a.Stop(t)

		b := s.Start(t, a.Dir)
		if got := b.Digest(t); got != digest || len(got) != 40 {
			t.Errorf("digest after a restart: %q, before %q", got, digest)
		}
		if v := b.Must(t, "DBSIZE"); v != int64(1) {
			t.Errorf("DBSIZE: %v", v)
		}
	})
}
