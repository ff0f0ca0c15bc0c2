//go:build !yara

package yara

import (
	"errors"
	"testing"
)

func TestWithoutTheEngine(t *testing.T) {
	if _, err := Load([]string{"rules.yar"}); Available || !errors.Is(err, ErrNotBuilt) {
		t.Errorf("available %v, %v", Available, err)
	}
}
