SHELL = bash

# make test needs Go; real servers, where apt is there to fetch them, join in.
cache    = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/valkeyfs
lint     = $(cache)/golangci-lint-$(LINT_VERSION)/golangci-lint
LINT_VERSION = v2.15.0

# Where the servers are; tests read it.
export VALKEYFS_SERVERS ?= $(cache)/servers
# Where the benchmarks' data is.
VALKEYFS_BENCH ?= $(cache)/bench

.PHONY: build man yara test race truth proof servers lint fuzz bench bench-seal profile fixtures clean

build:
	go build -o bin/valkeyfs ./cmd/valkeyfs

# With the YARA engine: needs a C compiler, pkg-config and libyara 4.2 (Debian:
# libyara-dev). All other builds are without cgo.
yara:
	CGO_ENABLED=1 go build -tags yara -o bin/valkeyfs-yara ./cmd/valkeyfs
	CGO_ENABLED=1 go test -tags yara ./internal/yara
	CGO_ENABLED=1 go test -tags yara -run 'TestScripts/scan-yara' ./cmd/valkeyfs

# The manual pages, into bin/man1.
man: build
	bin/valkeyfs man bin/man1

# All tests, real servers included. The race detector, with which they take ten times
# as long, looks on where goroutines run or locks are held, and at the program in its
# scripts. Packages with tests that -short leaves out or cuts run without it too, and so
# do tests that count allocations. What is skipped is said; under CI=true a skip is a
# failure. The profile that cmd/valkeyfs is built by would have every package compiled
# twice. A program with the race detector sleeps for a second before it exits, unless it
# is told not to: the scripts run it hundreds of times. The longest comes first.
raced = ./cmd/valkeyfs $$(grep -rlE --include='*.go' '^\s*go (func|[a-z])|\.Go\(|AfterFunc\(|sync\.(Mutex|RWMutex|Pool|Map)' . | xargs dirname | sort -u)
unraced = $$(grep -rlE --include='*_test.go' 'testing\.Short\(|servertest\.Long\(' . | xargs dirname; go list ./... | grep -vxF "$$(go list $(raced))")
test: export GOFLAGS += -pgo=off
test: export GORACE = atexit_sleep_ms=0
test: servers
	@set -o pipefail; go test -v -run Alloc $$(grep -rl --include='*_test.go' AllocsPerRun . | xargs dirname | sort -u) 2>&1 | awk -f .ci/summary.awk
	@set -o pipefail; go test -v -timeout 20m $(unraced) 2>&1 | awk -f .ci/summary.awk
	@set -o pipefail; go test -race -short -v -timeout 20m $(raced) 2>&1 | awk -f .ci/summary.awk

# All tests under the race detector, whole.
race: export GOFLAGS += -pgo=off
race: export GORACE = atexit_sleep_ms=0
race: servers
	@set -o pipefail; go test -race -v -timeout 60m ./... 2>&1 | awk -f .ci/summary.awk

servers:
	@internal/servertest/install.sh "$(VALKEYFS_SERVERS)"
	@test -x "$(VALKEYFS_SERVERS)/versitygw" || GOBIN="$(VALKEYFS_SERVERS)" go install github.com/versity/versitygw/cmd/versitygw@v1.8.0

lint: export GOFLAGS += -pgo=off
lint: $(lint)
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	go vet ./...
	$< run --allow-parallel-runners ./...

$(lint):
	@set -o pipefail; GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION) 2>&1 | \
	  { grep -v '^go: downloading' || true; }

# Every fuzz target for FUZZTIME, one after the other.
FUZZTIME ?= 30s
fuzz:
	@set -e; grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
	  grep -oE '^func Fuzz[A-Za-z0-9_]+' $$file | cut -d' ' -f2 | while read -r target; do \
	    echo "$$target ($$(dirname $$file))"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$(dirname $$file) </dev/null; \
	  done; done

# What the audit says of generated configurations, against real servers: 700 of them.
truth: servers
	VALKEYFS_TRUTH=700 go test -v -timeout 30m -run '^TestTruth$$' ./internal/audit

# Backups beside servers under load, backups that are killed, and sets that are
# tampered with: each test with 200 rounds instead of a few.
proof: servers
	VALKEYFS_BACKUP_ROUNDS=200 go test -v -timeout 3h -run '^Test(LiveLog|Killed|RestoreKilled|Tampering)$$' ./internal/backup

# What salvage and carve get back of damaged files of real servers: docs/forensics.md.
VALKEYFS_HARNESS ?= 12
harness: servers
	VALKEYFS_HARNESS=$(VALKEYFS_HARNESS) go test -v -timeout 90m -run 'Harness|Ext4' ./internal/salvage ./internal/carve

# Figures against peers on snapshots of hundreds of megabytes; see bench/README.md.
bench: servers
	bench/data.sh "$(VALKEYFS_BENCH)"
	go run ./bench $(ARGS) "$(VALKEYFS_BENCH)"

# Sealing and backups beside zstd, age and restic.
bench-seal: servers
	bench/data.sh "$(VALKEYFS_BENCH)"
	bench/seal.sh "$(VALKEYFS_BENCH)" $(RUNS)

# The profile that cmd/valkeyfs is built by, anew, on a machine that does nothing else.
profile: servers
	bench/data.sh "$(VALKEYFS_BENCH)"
	go run -trimpath ./bench/profile "$(VALKEYFS_BENCH)" cmd/valkeyfs/default.pgo

# The fixtures under testdata anew, from the servers; see testdata/SOURCES.md.
fixtures: servers
	go test ./internal/fixtures -update

clean:
	rm -rf bin
