package report

import "io"

// WriteRecords writes records in the format jsonl, each as a line, or json, as one array.
func WriteRecords[T any](w io.Writer, format string, records []T) error {
	l := NewLines(w)
	if format == "json" {
		return l.Line(records)
	}
	for _, r := range records {
		if err := l.Line(r); err != nil {
			return err
		}
	}
	return nil
}
