package cli

import (
	"fmt"
	"os"
	"slices"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
)

// dataDirKey names the data directory in a configuration file.
const dataDirKey = "datadir"

// readConfig sets flags from a TOML file of "flag = value" lines; lists are for
// flags that may be repeated. Flags on the command line win. It returns the data
// directory that the file names.
func readConfig(cmd *cobra.Command, path string) (dir string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", unreadable("--config", path, err)
	}
	var settings map[string]any
	if err := toml.Unmarshal(data, &settings); err != nil {
		return "", usagef("--config %s: %v", safe(path), err)
	}
	var names []string
	for name := range settings {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := settings[name]
		if name == dataDirKey {
			dir = fmt.Sprint(value)
			continue
		}
		flag := cmd.Flags().Lookup(name)
		if flag == nil || name == "config" || name == "help" {
			return "", usagef("--config %s: there is no flag %s", safe(path), safe(name))
		}
		if flag.Changed {
			continue
		}
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, v := range list {
			if err := cmd.Flags().Set(name, fmt.Sprint(v)); err != nil {
				return "", usagef("--config %s: %s: %v", safe(path), safe(name), err)
			}
		}
	}
	return dir, nil
}
