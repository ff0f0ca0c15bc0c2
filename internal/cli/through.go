package cli

import (
	"io"
)

// passage is what became of a stream that was sealed, opened or sealed anew, as JSON.
type passage struct {
	Type       string   `json:"type"`             // encrypt, decrypt, rekey
	Input      string   `json:"input"`            // "-": standard input
	Output     string   `json:"output,omitempty"` // none, if there is an error
	Read       int64    `json:"bytes_read"`
	Written    int64    `json:"bytes_written"`
	Recipients []string `json:"recipients,omitempty"`
	Passphrase bool     `json:"passphrase,omitempty"` // opens it, instead of recipients
	Error      string   `json:"error,omitempty"`
}

// passageHelp says in the help of a verb what json is.
const passageHelp = `
json says, as one object on standard output, what was read and written, or why it
could not be; -o is needed then.
`

// through runs a verb that turns one stream into another, and says what became of it.
// Only a result that is complete is put in place. The verb has asked partOutcome before
// it asks for any passphrase.
func (a *app) through(p *passage, format *choice, text bool, run func(io.Writer, io.Reader) error) error {
	in, err := a.open(p.Input)
	if err != nil {
		return err
	}
	defer in.Close()
	err = a.result(func(out *output) (int, error) {
		if isTerminal(out.terminal) && !text {
			return 0, usagef("this would fill the terminal with bytes: choose a file by -o")
		}
		read, written := newCounting(in), &countingWriter{Writer: out}
		defer a.watch(read.count, sizeOf(in))()
		err := run(written, read)
		p.Read, p.Written = read.count(), written.n
		return exitOK, err
	})
	path := p.Input
	p.Input = a.names.Mask(path)
	if why := unopened(err); why != nil {
		a.stderr.errorf("%s: %v", path, why)
		p.Error = a.names.Mask(why.Error())
		return a.outcomeBeside(format, exitIncomplete, p)
	}
	if err != nil {
		return err
	}
	p.Output = a.names.Mask(a.global.output)
	return a.outcomeBeside(format, exitOK, p)
}

// countingWriter counts what is written.
type countingWriter struct {
	io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}
