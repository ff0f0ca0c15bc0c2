package fleet

import (
	"context"
	"errors"
	"testing"
)

// An input that vanished, or that cannot be read, while it is submitted does not keep
// the others from being so.
func TestUnreadableIsNew(t *testing.T) {
	known := submitted{stamp: "1", sum: "a", status: Done}
	in := input{stamp: "2", hash: func(context.Context) (string, error) { return "", errors.New("vanished") }}
	if is, err := known.now(t.Context(), in); is != isNew || err != nil {
		t.Errorf("%d, %v", is, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := known.now(ended, in); !errors.Is(err, context.Canceled) {
		t.Errorf("a submission that was ended goes on: %v", err)
	}
}
