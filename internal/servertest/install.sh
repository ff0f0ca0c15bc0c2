#!/usr/bin/env bash
# Unpacks real Valkey and Redis servers side by side for the tests, from Debian's
# suites, without touching the system's packages.
#
#   install.sh DIR            then   DIR/run valkey-8.0 valkey-server --port 0 …
#
# apt resolves each server's dependencies against an empty system, C library and
# all; they are unpacked into a root of the server's own and started through that
# root's dynamic loader, so that any suite's binaries run on any host. Needs apt
# and Debian's archive keyring. What is there already is left alone; what cannot
# be had is said and left out.
set -euo pipefail

dir=${1:?usage: install.sh DIR}
servers=( # name, suite, suites to resolve dependencies in, packages
  "redis-7.0  bookworm           bookworm                     redis-server redis-tools"
  "valkey-8.0 bookworm-backports bookworm,bookworm-backports  valkey-server valkey-tools"
  "redis-6.0  bullseye           bullseye                     redis-server redis-tools"
  "valkey-8.1 trixie             trixie                       valkey-server valkey-tools"
  "redis-8.0  trixie             trixie                       redis-server redis-tools"
  "valkey-9   sid                sid                          valkey-server valkey-tools"
  "redis-8    sid                sid                          redis-server redis-tools"
)

say() { echo "servers: $*" >&2; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
if ! command -v apt-get >/dev/null || ! [ -e $keyring ]; then
  say "no apt or no Debian keyring here: no server installed"
  exit 0
fi
# The mirror that this system itself uses.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
  grep -oE '^(URIs:|deb) .*' | grep -oE '[a-z+]+:[^ ]*/debian/?( |$)' | head -n 1 | tr -d ' ') || true
[ -n "$mirror" ] || { say "no Debian mirror in apt's configuration: no server installed"; exit 0; }

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

install() { # install NAME SUITE SUITES PACKAGE…
  local name=$1 suite=$2 state=$dir/.apt/$3 suites=${3//,/ } root=$dir/$1 new=$dir/.new-$1
  shift 3
  [ ! -e "$root" ] || return 0
  mkdir -p "$state/lists/partial" "$state/archives/partial"
  : >"$state/status"
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$mirror" "$suites" $keyring >"$state/debian.sources"
  local apt=(apt-get -qq -oDir::Etc::sourcelist="$state/debian.sources" -oDir::Etc::sourceparts=/dev/null
    -oDir::State="$state" -oDir::State::lists="$state/lists" -oDir::State::status="$state/status"
    -oDir::Cache="$state" -oDir::Cache::archives="$state/archives" -oAPT::Sandbox::User=root
    -oAcquire::Languages=none -oAcquire::Retries=3 -oDebug::NoLocking=true)
  if [ ! -e "$state/updated" ]; then
    "${apt[@]}" update >"$state/log" 2>&1 || { say "$name: suite $suite cannot be had"; return 0; }
    touch "$state/updated"
  fi
  rm -rf "$state/archives/"*.deb "$new"
  "${apt[@]}" -y --no-install-recommends --download-only -t "$suite" install "$@" >"$state/log" 2>&1 ||
    { say "$name: its packages cannot be had from $suite"; return 0; }
  mkdir -p "$new"
  for deb in "$state/archives/"*.deb; do dpkg-deb -x "$deb" "$new"; done
  rm -f "$state/archives/"*.deb
  mv "$new" "$root"
}

cat >"$dir/run" <<'R'
#!/usr/bin/env bash
# run NAME BINARY [ARG…]: a program of the server's root, by that root's own loader
root=$(cd "$(dirname "$0")" && pwd)/$1 bin=$2
shift 2
libs=("$root"/lib/*-linux-gnu* "$root"/usr/lib/*-linux-gnu* "$root"/usr/lib/*-linux-gnu*/systemd)
loader=("$root"/lib*/ld-linux*.so.* "$root"/lib/*/ld-linux*.so.* "$root"/usr/lib*/ld-linux*.so.* "$root"/usr/lib/*/ld-linux*.so.*)
for l in "${loader[@]}"; do [ -x "$l" ] && [ ! -d "$l" ] && break; done
exec "$l" --library-path "$(IFS=:; echo "${libs[*]}")" "$root/usr/bin/$bin" "$@"
R
chmod +x "$dir/run"

# Programs of others that tests are held against.
install tools bookworm bookworm age zstd minisign openssh-client strace

# What applications write with: languages and their client libraries.
install clients bookworm bookworm \
  python3-django-redis python3-flask-session python3-rq python3-celery python3-msgpack python3-cbor2 python3-bson \
  python3-lz4 python3-snappy python3-zstandard python3-brotli \
  php-cli php-redis php-igbinary php-msgpack ruby ruby-sidekiq ruby-redis-rack ruby-msgpack openjdk-17-jdk-headless
# Node's come by npm, and DuckDB with them, which reads what is written as Parquet.
modules=(connect-redis@8.0.2 express-session@1.18.1 redis@4.7.0 bullmq@5.34.0 msgpackr@1.11.2 @duckdb/node-api@1.5.6-r.1)
if ! command -v npm >/dev/null; then
  say "node: no npm here: its client libraries are not installed"
elif [ "$(cat "$dir/node/modules" 2>/dev/null)" != "${modules[*]}" ]; then
  new=$dir/.new-node
  rm -rf "$new"
  mkdir "$new"
  if npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$new" "${modules[@]}" >"$dir/.apt/npm.log" 2>&1; then
    echo "${modules[*]}" >"$new/modules"
    rm -rf "$dir/node"
    mv "$new" "$dir/node"
  else
    say "node: its client libraries cannot be had"
  fi
fi

for s in "${servers[@]}"; do
  # shellcheck disable=SC2086  # the words of an entry are the arguments
  install $s
  name=${s%% *}
  if [ -e "$dir/$name" ]; then
    version=$("$dir/run" "$name" "${name%%-*}-server" --version | grep -oE 'v=[0-9.]+') ||
      { say "$name does not start here"; rm -rf "${dir:?}/$name"; continue; }
    say "$name ${version#v=}"
  fi
done
