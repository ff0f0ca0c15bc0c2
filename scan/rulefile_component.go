package scan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

type componentTOML struct {
	ID       string `toml:"id"`
	Optional bool   `toml:"optional"`
	Within   string `toml:"within"`
}

type requiredTOML struct {
	ID            string `toml:"id"`
	WithinLines   *int   `toml:"withinLines"`
	WithinColumns *int   `toml:"withinColumns"`
}

// A component is a second secret, or a name or host, that goes with a rule's.
// It is looked for in the whole value that holds the match.
type component struct {
	id       string
	optional bool
	rule     *rule
}

func (raw *ruleTOML) componentsOf(r *rule) error {
	add := func(id string, optional bool) error {
		if id == "" || slices.ContainsFunc(r.components, func(c component) bool { return c.id == id }) {
			return errors.New("a component without an id, or twice the same")
		}
		r.components = append(r.components, component{id: id, optional: optional})
		return nil
	}
	if raw.Components != nil {
		for _, c := range *raw.Components {
			if err := checkWithin(c.Within); err != nil {
				return err
			}
			if err := add(c.ID, c.Optional); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range raw.Required {
		if c.WithinLines != nil && *c.WithinLines < 0 || c.WithinColumns != nil && *c.WithinColumns < 0 {
			return errors.New("required: a negative distance")
		}
		if err := add(c.ID, false); err != nil {
			return err
		}
	}
	return nil
}

// checkWithin accepts the distances of the dialect: 5L, 200C, -3L,+10C. They
// count lines of source files; a value is looked through as a whole.
func checkWithin(s string) error {
	if s == "" || s == "0" {
		return nil
	}
	for part := range strings.SplitSeq(s, ",") {
		p := strings.ToUpper(strings.TrimSpace(part))
		p = strings.TrimSuffix(strings.TrimSuffix(strings.TrimLeft(p, "+-"), "L"), "C")
		if p == "" || strings.Trim(p, "0123456789") != "" {
			return fmt.Errorf("within: %q", s)
		}
	}
	return nil
}
