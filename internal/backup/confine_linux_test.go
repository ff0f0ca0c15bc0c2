package backup

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// Behind each fence a command writes in its own directory, gains no privileges and
// reaches no network; where namespaces are forbidden it writes nowhere else, either.
func TestFences(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is needed, to connect")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	script := `exec 2>&1 >own/said
id -u; grep -E '^(CapPrm|NoNewPrivs):' /proc/self/status
echo x >/dev/null && echo null
echo x >../other/new && echo outside
(exec 3<>/dev/tcp/127.0.0.1/` + port + `) && echo connected
sleep 1000`
	all := fences
	defer func() { fences = all }()
	for i, name := range []string{"namespaces", "landlock"} {
		t.Run(name, func(t *testing.T) {
			top, err := os.MkdirTemp("", "vfs") // whoever it runs as gets there
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(top) })
			uid, gid := unprivileged()
			for dir, mode := range map[string]os.FileMode{"": 0o755, "drill": 0o777, "drill/own": 0o777, "other": 0o777} {
				if err := os.MkdirAll(filepath.Join(top, dir), mode); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(filepath.Join(top, dir), mode); err != nil {
					t.Fatal(err)
				}
			}
			dir := filepath.Join(top, "drill")
			fences = all[i : i+1]
			var cmd *exec.Cmd
			ended, err := startConfined(func() *exec.Cmd {
				cmd = exec.CommandContext(t.Context(), "bash", "-c", script)
				cmd.Dir = dir
				return cmd
			}, dir, uid, gid)
			if err != nil {
				servertest.Lacks(t, "%v", err)
			}
			said := awaitText(t, filepath.Join(dir, "own", "said"))
			cmd.Process.Kill()
			<-ended
			want := "CapPrm:\t0000000000000000\nNoNewPrivs:\t1\nnull\n"
			if name == "namespaces" {
				want += "outside\n" // only what nobody may write
			}
			if !strings.HasSuffix(said, want) || uid >= 0 && !strings.HasPrefix(said, "65534\n") {
				t.Errorf("%s\nwant, in the end:\n%s", said, want)
			}
		})
	}
}

// awaitText returns a file when it does not grow any more.
func awaitText(t *testing.T, name string) string {
	t.Helper()
	last := ""
	for range 200 {
		time.Sleep(50 * time.Millisecond)
		data, err := os.ReadFile(name)
		if err == nil && len(data) > 0 && string(data) == last && strings.Contains(last, "null") {
			return last
		}
		last = string(data)
	}
	t.Fatalf("it said %q", last)
	return ""
}
