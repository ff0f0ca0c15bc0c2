package aof

// Flags say what is known of a command.
type Flags uint8

const (
	// Write says that the command changes the keyspace, so that servers log it.
	Write Flags = 1 << iota
	// NeverLogged says that no server from Redis 7.0 on writes the command to an
	// AOF. Where one stands, an older server or something else wrote it.
	NeverLogged
)

// A CommandSpec says how a command is written. Keys stand where COMMAND says
// they do; indexes count from the name, which is argument 0.
type CommandSpec struct {
	Name        string // in upper case; of a subcommand, its own
	Arity       int    // arguments, the name included; -n: at least n
	Flags       Flags
	FirstKey    int // index of the first key, 0 if none has a fixed place
	LastKey     int // index of the last; -n counts from the end
	KeyStep     int
	NumKeys     int // index of the argument that says how many keys follow it, 0 if there is none
	Subcommands []CommandSpec

	apply func(*command)
}

// LookupCommand finds a command by its name in any case. Of a container such as
// XGROUP it returns the container. It does not allocate and is safe for
// concurrent use, as are the methods of a CommandSpec; callers must not change
// what it returns.
func LookupCommand(name []byte) (*CommandSpec, bool) {
	for h := hashName(name); ; h++ {
		s := byName[h%uint32(len(byName))]
		if s == nil {
			return nil, false
		}
		if is(name, s.Name) {
			return s, true
		}
	}
}

// Subcommand finds one of s's subcommands by its name in any case.
func (s *CommandSpec) Subcommand(name []byte) (*CommandSpec, bool) {
	for i := range s.Subcommands {
		if sub := &s.Subcommands[i]; is(name, sub.Name) {
			return sub, true
		}
	}
	return nil, false
}

// Takes reports whether the command can have argc arguments.
func (s *CommandSpec) Takes(argc int64) bool {
	if s.Arity >= 0 {
		return argc == int64(s.Arity)
	}
	return argc >= int64(-s.Arity)
}

// byName is an open hash table of the commands.
var byName = func() (table [2048]*CommandSpec) {
	for i := range commands {
		h := hashName([]byte(commands[i].Name))
		for table[h%uint32(len(table))] != nil {
			h++
		}
		table[h%uint32(len(table))] = &commands[i]
	}
	return table
}()

// hashName is FNV-1a over a name without regard to case.
func hashName(name []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range name[:min(len(name), 32)] {
		h = (h ^ uint32(c&^0x20)) * 16777619
	}
	return h
}
