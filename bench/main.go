// Command bench times valkeyfs beside its peers, in turn, on the data that
// data.sh makes, and prints medians, ratios and peak memory. `make bench` runs it.
//
//	bench [-n RUNS] [-only REGEXP] DIR
package main

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// comparison is one thing done by valkeyfs and by a peer.
type comparison struct {
	name, file string
	ours       []string // arguments of valkeyfs; the file follows
	peer       []string // nil: there is none that can be had
}

func comparisons(redis []string, hdt string) []comparison {
	check := func(program string) []string { return append(slices.Clone(redis), program) }
	var all []comparison
	for _, file := range []string{"mixed.rdb", "small.rdb"} {
		all = append(all,
			comparison{"inspect : redis-check-rdb", file, []string{"inspect"}, check("redis-check-rdb")},
			comparison{"export jsonl : hdt3213 json", file, []string{"export", "--format", "jsonl"}, []string{hdt, "json", "FILE", os.DevNull}},
			comparison{"export resp", file, []string{"export", "--format", "resp"}, nil},
			comparison{"scan", file, []string{"scan", "--format", "jsonl"}, nil})
	}
	return append(all,
		comparison{"salvage", "mixed.rdb", []string{"salvage"}, nil},
		comparison{"inspect : redis-check-aof", "mixed.aof", []string{"inspect"}, check("redis-check-aof")},
		comparison{"scan", "mixed.aof", []string{"scan", "--format", "jsonl"}, nil})
}

func main() {
	log.SetFlags(0)
	runs := flag.Int("n", 5, "`runs` of each command, after one that does not count")
	only := flag.String("only", "", "run what matches `REGEXP` only")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: bench [-n RUNS] [-only REGEXP] DIR")
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		log.Fatal(err)
	}
	dir := flag.Arg(0)
	ours, hdt := build(dir, "valkeyfs", "./cmd/valkeyfs"), build(dir, "hdt3213", "./bench/hdt3213")
	redis := []string{filepath.Join(os.Getenv("VALKEYFS_SERVERS"), "run"), "redis-7.0"}

	about(redis, hdt)
	fmt.Printf("%-30s %-10s %10s %6s %10s %6s %6s\n", "", "", "valkeyfs s", "MiB", "peer s", "MiB", "ratio")
	for _, c := range comparisons(redis, hdt) {
		if !pattern.MatchString(c.name + " " + c.file) {
			continue
		}
		file := filepath.Join(dir, c.file)
		a, b := measure(*runs, append(append([]string{ours}, c.ours...), file), with(c.peer, file))
		fmt.Printf("%-30s %-10s %10.2f %6.0f", c.name, c.file, a.seconds, a.mib)
		if c.peer != nil {
			fmt.Printf(" %10.2f %6.0f %6.1f", b.seconds, b.mib, b.seconds/a.seconds)
		}
		fmt.Println()
	}
}

// build compiles a command into dir.
func build(dir, name, pkg string) string {
	path := filepath.Join(dir, name)
	if out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
		log.Fatalf("%s: %v\n%s", pkg, err, out)
	}
	return path
}

// about prints what is compared, and on what: figures of a machine that does other
// things besides are none.
func about(redis []string, hdt string) {
	said, err := exec.Command(redis[0], append(slices.Clone(redis[1:]), "redis-check-rdb", "--version")...).Output()
	if err != nil {
		log.Fatal("redis-check-rdb: ", err)
	}
	version := "of no known version"
	if info, err := buildinfo.ReadFile(hdt); err == nil {
		for _, m := range info.Deps {
			if m.Path == "github.com/hdt3213/rdb" {
				version = m.Version
			}
		}
	}
	load, _ := os.ReadFile("/proc/loadavg") // where there is one
	fmt.Printf("%s, github.com/hdt3213/rdb %s\n", bytes.TrimSpace(said), version)
	fmt.Printf("%s, %d CPUs, load before %s\n", runtime.Version(), runtime.NumCPU(), load)
}

// with puts file in the place of FILE, or at the end.
func with(command []string, file string) []string {
	c := slices.Clone(command)
	if i := slices.Index(c, "FILE"); i >= 0 {
		c[i] = file
		return c
	}
	return append(c, file)
}

// figures are medians of several runs.
type figures struct{ seconds, mib float64 }

// measure runs two commands in turn, so that both see the machine's moods.
func measure(runs int, a, b []string) (fa, fb figures) {
	commands := [2][]string{a, b}
	if len(b) == 1 { // no peer
		commands[1] = nil
	}
	var seconds, mib [2][]float64
	for i := range runs + 1 {
		for j, c := range commands {
			if c == nil {
				continue
			}
			worst := 0
			if j == 0 {
				worst = 1 // findings
			}
			s, m := run(worst, c)
			if i > 0 {
				seconds[j], mib[j] = append(seconds[j], s), append(mib[j], m)
			}
		}
	}
	return figures{median(seconds[0]), median(mib[0])}, figures{median(seconds[1]), median(mib[1])}
}

// run runs one command; its output is dropped. A status up to worst is no failure.
func run(worst int, command []string) (seconds, mib float64) {
	var said bytes.Buffer
	c := exec.Command(command[0], command[1:]...)
	c.Stderr = &said
	begin := time.Now()
	err := c.Run()
	seconds = time.Since(begin).Seconds()
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.ExitCode() <= worst {
		err = nil
	}
	if err != nil {
		log.Fatalf("%v: %v\n%s", command, err, said.Bytes())
	}
	usage, _ := c.ProcessState.SysUsage().(*syscall.Rusage)
	return seconds, float64(usage.Maxrss) / 1024
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[len(v)/2]
}
