#!/usr/bin/env bash
# Makes the benchmarks' data in DIR, what is not there yet:
#   mixed.rdb  a snapshot of a realistic mix, 370 MB, compressed as by default
#   small.rdb  ten million small keys
#   mixed.aof  the commands of the mix as an append-only file, 520 MB
#   noise      256 MiB in which nothing is
#
#   data.sh DIR          needs VALKEYFS_SERVERS, with redis-7.0
set -euo pipefail
dir=${1:?usage: data.sh DIR}
mkdir -p "$dir"
gen=$dir/gen
go build -o "$gen" ./bench/gen

snapshot() { # snapshot NAME
  [ ! -e "$dir/$1.rdb" ] || return 0
  echo "making $dir/$1.rdb" >&2
  local work
  work=$(mktemp -d)
  local run=("$VALKEYFS_SERVERS/run" redis-7.0)
  "${run[@]}" redis-server --port 0 --unixsocket "$work/socket" --dir "$work" --save '' --appendonly no --logfile "$work/log" &
  local pid=$!
  trap 'kill '"$pid"' 2>/dev/null || true' EXIT
  local cli=("${run[@]}" redis-cli -s "$work/socket")
  until "${cli[@]}" ping >/dev/null 2>&1; do sleep 0.1; done
  "$gen" -secrets "$dir/$1.secrets.jsonl" "$1" | "${cli[@]}" --pipe >/dev/null
  "${cli[@]}" save >/dev/null
  mv "$work/dump.rdb" "$dir/$1.rdb"
  "${cli[@]}" shutdown nosave || true
  wait "$pid" || true
  rm -rf "$work"
}

snapshot mixed
snapshot small
if ! [ -e "$dir/mixed.aof" ]; then
  "$gen" -scale 0.9 mixed >"$dir/mixed.aof.new"
  mv "$dir/mixed.aof.new" "$dir/mixed.aof"
fi
if ! [ -e "$dir/noise" ]; then
  head -c 268435456 /dev/urandom >"$dir/noise.new"
  mv "$dir/noise.new" "$dir/noise"
fi
