package fleet

import (
	"context"
	"database/sql/driver"
	"errors"
)

// keeper opens connections to SQLite that keep their statements.
type keeper struct{ driver.Connector }

func (k keeper) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &keeping{liteConn: c.(liteConn), idle: map[string]liteStmt{}}, nil
}

// keeping is a connection that keeps statements to run them again: a worker's are the
// same for each input, and SQLite takes longer to read most of them than to run them.
// PostgreSQL's driver does so by itself.
type keeping struct {
	liteConn
	idle map[string]liteStmt
}

// maxIdle is how many statements are kept: more than a worker has.
const maxIdle = 64

// What the driver's connections and statements are beside what they must be.
type (
	liteConn interface {
		driver.Conn
		driver.ConnBeginTx
		driver.ConnPrepareContext
		driver.Pinger
		driver.SessionResetter
		driver.Validator
	}
	liteStmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
)

// ExecContext runs a statement.
func (k *keeping) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := s.ExecContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return r, k.keep(query, s)
}

// QueryContext runs a statement, which is kept when its rows are closed.
func (k *keeping) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &keptRows{r, k, query, s}, nil
}

// take returns a statement that nobody runs.
func (k *keeping) take(ctx context.Context, query string) (liteStmt, error) {
	if s, ok := k.idle[query]; ok {
		delete(k.idle, query)
		return s, nil
	}
	s, err := k.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.(liteStmt), nil
}

// keep takes a statement back, in the place of any other if there are many.
func (k *keeping) keep(query string, s liteStmt) error {
	if _, ok := k.idle[query]; ok { // it was run while it was run
		return s.Close()
	}
	var err error
	for other, o := range k.idle {
		if len(k.idle) < maxIdle {
			break
		}
		delete(k.idle, other)
		err = o.Close()
	}
	k.idle[query] = s
	return err
}

// Close ends the connection.
func (k *keeping) Close() error {
	var errs []error
	for _, s := range k.idle {
		errs = append(errs, s.Close())
	}
	clear(k.idle)
	return errors.Join(append(errs, k.liteConn.Close())...)
}

// Unwrap is the driver's own connection, for those who ask the driver about it.
func (k *keeping) Unwrap() driver.Conn { return k.liteConn }

// keptRows are what a statement yields.
type keptRows struct {
	driver.Rows
	k     *keeping
	query string
	s     liteStmt
}

func (r *keptRows) Close() error {
	if err := r.Rows.Close(); err != nil {
		return errors.Join(err, r.s.Close())
	}
	return r.k.keep(r.query, r.s)
}
