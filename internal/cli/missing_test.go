package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// A file that a flag names and that is not there is an error of usage, which names the flag.
func TestFileOfFlagIsMissing(t *testing.T) {
	contractInputs(t)
	for _, line := range []string{
		"encrypt data/dump.rdb -o out --recipients-file nope",
		"backup data --to sets --recipients-file nope",
		"backup --config nope",
		"backup --from localhost:1 --to sets -r age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj --user u --password-file nope",
		"scan data --identity nope", "scan data --rules nope", "scan data --baseline nope",
		"audit data --waivers nope", "audit data --baseline nope", "audit data --policy nope", "audit --undo nope",
		"audit data --live localhost:1 --live-password nope",
		"report data -o page.html --sign-key nope",
		"fleet status --database sqlite:nope",
	} {
		args := strings.Fields(line)
		flag := args[0]
		for i, arg := range args {
			if strings.TrimPrefix(arg, "sqlite:") == "nope" {
				flag = args[i-1]
			}
		}
		var out, told bytes.Buffer
		if code := Main(args, strings.NewReader(""), &out, &told); code != exitUsage || !strings.Contains(told.String(), flag+" nope: no such file or directory") {
			t.Errorf("%s: exit status %d: %s", line, code, told.String())
		}
	}
}

// What no run could work on is an error of usage.
func TestInputIsOfNoUse(t *testing.T) {
	contractInputs(t)
	for line, want := range map[string]string{
		"scan s3://bucket/dump.rdb":         `scanned by "valkeyfs fleet"`,
		"inspect data s3://bucket/dump.rdb": `scanned by "valkeyfs fleet"`,
		"list s3:///sets":                   "no bucket is named",
		"fleet submit s3:///backups":        "no bucket is named",
		"fleet submit data -":               "standard input cannot be submitted",
		"fleet submit [":                    "syntax error in pattern",
		"fleet work --database mysql://db":  "neither sqlite:PATH nor postgres://",
		"fleet report --database sqlite:":   "names no file",
		"encrypt data -o out -r age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj": "data is a directory",
	} {
		var out, told bytes.Buffer
		if code := Main(strings.Fields(line), strings.NewReader(""), &out, &told); code != exitUsage || !strings.Contains(told.String(), want) {
			t.Errorf("%s: exit status %d: %s", line, code, told.String())
		}
	}
}

// A database that the environment names and that is not there is not made by asking it.
func TestFleetOfEnvironmentIsMissing(t *testing.T) {
	contractInputs(t)
	t.Setenv("VALKEYFS_FLEET_DATABASE", "sqlite:nope")
	runs(t, exitUsage, "fleet", "status")
	if _, err := os.Lstat("nope"); err == nil {
		t.Error("it was made")
	}
}

// A backup that fails because a file of its configuration is gone is one that failed: its
// hook runs, and its metrics say so.
func TestBackupWithoutItsRecipients(t *testing.T) {
	contractInputs(t)
	runs(t, exitUsage, "backup", "data", "--to", "sets", "-R", "nope", "--metrics", "m.prom", "--on-failure", "echo $VALKEYFS_STATUS >failed")
	if status, err := os.ReadFile("failed"); err != nil || string(status) != "2\n" {
		t.Errorf("the hook: %q, %v", status, err)
	}
	if metrics, err := os.ReadFile("m.prom"); err != nil || !strings.Contains(string(metrics), " 2\n") {
		t.Errorf("the metrics: %s, %v", metrics, err)
	}
}
