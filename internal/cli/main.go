// Package cli is the command line: one file a verb, which turns flags into
// options and leaves the work to other packages.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/internal/sweep"
	"github.com/valkeyfs/valkeyfs/scan"
)

// The exit status of every verb.
const (
	exitOK         = 0 // done, nothing to report
	exitFindings   = 1 // findings, violations or differences
	exitUsage      = 2
	exitIncomplete = 3 // evidence could not be read whole
	exitError      = 4 // I/O or internal error
	exitBoth       = 5 // findings, and evidence could not be read whole
)

// someInputs wants at least one INPUT.
func someInputs(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("no INPUT is named")
	}
	return nil
}

// oneInput wants exactly one INPUT.
func oneInput(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("one INPUT is needed, not %d", len(args))
	}
	return nil
}

// status combines what a verb found with what it could not read.
func status(findings, incomplete bool) int {
	switch {
	case findings && incomplete:
		return exitBoth
	case incomplete:
		return exitIncomplete
	case findings:
		return exitFindings
	}
	return exitOK
}

// usageError is an error in how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exitCode is the "error" of a verb that has done its work and ends with a status.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit status %d", int(c)) }

// exit is nil for a status of 0.
func exit(code int) error {
	if code == exitOK {
		return nil
	}
	return exitCode(code)
}

// Main runs the program and returns its exit status. It writes to the given
// streams only, and installs a handler for the signals that ask it to stop while
// it runs.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once

	a := &app{stdin: stdin, stdout: stdout, stderr: newConsole(stderr)}
	a.names = sweep.NewNames(sync.OnceValues(func() (*scan.Scanner, error) {
		if a.scanner != nil {
			return a.scanner, nil
		}
		return scan.New(scan.Config{Workers: 1})
	}))
	a.stderr.names = a.names
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(a.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var code exitCode
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, new(usageError)) || !a.running:
		a.stderr.error(err)
		a.stderr.printf("Run \"%s\" to see how it is used.", helpFor(cmd))
		return exitUsage
	case errors.Is(err, syscall.EPIPE):
		return exitError // whoever read the output has had enough
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		a.stderr.errorf("interrupted before the end: nothing was put in place")
		return exitIncomplete
	}
	a.stderr.error(err)
	return exitError
}

// app is what the verbs share: the streams and the flags that all of them know.
type app struct {
	stdin   io.Reader
	stdout  io.Writer
	stderr  *console
	names   *sweep.Names  // masks names of files; of scan --reveal, nil
	scanner *scan.Scanner // that the verb made, if it has the rules of names
	running bool          // flags and arguments were in order
	global  globals
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "valkeyfs",
		Short: "Read the snapshots and logs of Valkey and Redis servers as evidence",
		Long: `valkeyfs reads RDB snapshots, append-only files and whole data directories of
Valkey and Redis servers, intact or damaged, without changing a byte of them.
It finds the secrets in them, and tells what else they hold.

An INPUT is a snapshot, an append-only file, an appendonlydir, a data
directory, or "-" for standard input; each plain or inside gzip, zstd, lz4 or
age. What it is is read from its bytes.
`,
		Example: `  valkeyfs scan /mnt/evidence/var/lib/redis    which secrets lie there
  valkeyfs inspect dump.rdb                    what it is, and if it is intact
  valkeyfs help scan                           its flags, with examples`,
		Annotations:   finds("findings, violations or differences"),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noVerb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(a.stderr)
			if err := cmd.Help(); err != nil {
				return err
			}
			return exit(exitUsage)
		},
		PersistentPreRunE: func(*cobra.Command, []string) error {
			a.running = true
			return a.global.check(a)
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.Version = versionLine()
	root.SetVersionTemplate("{{.Version}}\n")
	root.Flags().Bool("version", false, "print the version") // without a short form
	root.AddCommand(newManCmd())
	a.global.flags(root.PersistentFlags())
	root.AddCommand(newScanCmd(a), newInspectCmd(a), newExportCmd(a), newMemoryCmd(a), newDiffCmd(a), newAuditCmd(a), newVersionCmd(a), newCompletionCmd(a),
		newKeygenCmd(a), newEncryptCmd(a), newDecryptCmd(a), newRekeyCmd(a),
		newBackupCmd(a), newVerifyCmd(a), newRestoreCmd(a), newListCmd(a), newPruneCmd(a),
		newAcquireCmd(a), newTimelineCmd(a), newHistoryCmd(a), newReportCmd(a))
	root.AddCommand(newSalvageCmd(a), newCarveCmd(a), newFleetCmd(a))
	a.help(root)
	return root
}

// safe is a path or other text from outside, fit for a message.
func safe(s string) string { return report.Escape(s) }
