package fleet

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
)

// maxConns is how many connections a process has to PostgreSQL at most, and keeps: to open
// one costs the server more than most of what it is asked by a worker.
const maxConns = 4

func openPostgres(location string) (*DB, error) {
	config, err := pgx.ParseConfig(location)
	if err != nil {
		return nil, fmt.Errorf("%w: not a valid postgres:// URL", ErrLocation) // the error may quote its password
	}
	if !strings.Contains(location, "sslmode=") && os.Getenv("PGSSLMODE") == "" {
		insistOnTLS(config)
	}
	pool := sql.OpenDB(connector{stdlib.GetConnector(*config)})
	pool.SetMaxOpenConns(maxConns)
	pool.SetMaxIdleConns(maxConns)
	return &DB{sql: pool, driver: riverdatabasesql.New(pool), says: strings.NewReplacer(
		"{now}", "(extract(epoch from clock_timestamp())*1000)::bigint",
		"{bytes}", `COLLATE "C"`,
		"{stuck}", "attempted_at NOT BETWEEN clock_timestamp() - $1 * interval '1 millisecond' AND clock_timestamp() + $1 * interval '1 millisecond'",
		"{time}", "clock_timestamp()",
		"{a minute ago}", "clock_timestamp() - interval '1 minute'",
		"{in six minutes}", "clock_timestamp() + interval '6 minutes'",
	)}, nil
}

// insistOnTLS takes out the attempts without TLS that the driver makes where the first,
// with it, fails: whoever is in between could have it fail. This host is trusted.
func insistOnTLS(c *pgx.ConnConfig) {
	c.Fallbacks = slices.DeleteFunc(c.Fallbacks, func(f *pgconn.FallbackConfig) bool {
		return f.TLSConfig == nil && !isLocal(f.Host)
	})
}

// isLocal reports whether a host is this one: by an address, or the directory of a socket.
func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || filepath.IsAbs(host) || ip != nil && ip.IsLoopback()
}

// connector says in one line why there is no connection; the driver has a line for
// each address that it tried.
type connector struct{ driver.Connector }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, oneLine{err}
	}
	return conn, nil
}

type oneLine struct{ error }

var joinLines = strings.NewReplacer(":\n\t", ": ", "\n\t", "; ", "\n", "; ")

func (e oneLine) Error() string { return joinLines.Replace(e.error.Error()) }

func (e oneLine) Unwrap() error { return e.error }
