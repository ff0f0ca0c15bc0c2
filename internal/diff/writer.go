package diff

import "io"

// A Writer writes a comparison in one format.
type Writer interface {
	// Change writes a difference. It is not called where only Stats are wanted.
	Change(*Change) error
	// Close ends the document with what was counted; by is what is to be listed by
	// prefix, if anything. Unless both sides could be read completely, what one of them
	// lacks may be what could not be read of it.
	Close(total Count, by []Stat, complete bool) error
}

// Formats are the names that NewWriter knows.
var Formats = []string{"text", "jsonl", "json", "csv"}

// NewWriter returns a Writer of the format of that name, nil if there is none.
func NewWriter(format string, w io.Writer, s Show) Writer {
	switch format {
	case "text":
		return &textWriter{w: w, s: s}
	case "jsonl":
		return newJSONL(w, s)
	case "json":
		return newJSON(w, s)
	case "csv":
		return newCSV(w, s)
	}
	return nil
}
