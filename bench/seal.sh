#!/usr/bin/env bash
# Times sealing beside `zstd -3 -T2 | age`, and backups beside restic where it is
# installed: in turn, RUNS times after one that does not count. Prints medians,
# their ratio to the peer, and the most memory that was resident.
#
#   seal.sh DIR [RUNS]       DIR has mixed.rdb of data.sh; needs age and zstd
set -euo pipefail
dir=${1:?usage: seal.sh DIR [RUNS]} runs=${2:-5}
file=$dir/mixed.rdb
work=$(mktemp -d "$dir/seal-XXXXXX")
trap 'rm -rf "$work"' EXIT
go build -o "$work/valkeyfs" ./cmd/valkeyfs
tools=("$VALKEYFS_SERVERS/run" tools)
age=(age) zstd=(zstd)
command -v age >/dev/null || age=("${tools[@]}" age)
command -v zstd >/dev/null || zstd=("${tools[@]}" zstd)
export RESTIC_PASSWORD=synthetic RESTIC_REPOSITORY=$work/restic XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache
mkdir "$work/data"
ln "$file" "$work/data/dump.rdb"
vfs=$work/valkeyfs key=$work/key
to=$("$vfs" keygen -o "$key")
"$vfs" keygen --sign -o "$work/sign" >/dev/null

seal_peer() { "${zstd[@]}" -q -3 -T2 -c "$file" | "${age[@]}" -r "$to" -o "$work/peer.age"; }
seal_ours() { "$vfs" encrypt "$file" -r "$to" -o "$work/ours.age"; }
open_peer() { "${age[@]}" -d -i "$key" "$work/peer.age" | "${zstd[@]}" -dcq >/dev/null; }
open_ours() { "$vfs" decrypt "$work/ours.age" -i "$key" >/dev/null; }
backup() { rm -rf "$work/dest"; "$vfs" backup "$work/data" --to "$work/dest" --label a -r "$to" --sign-key "$work/sign" "$@"; }
scan() { "$vfs" scan "$file" --format jsonl -q -o "$work/found" || [ $? -eq 1 ]; }
restic_backup() { restic backup -q "$work/data"; }

time_one() { # time_one NAME COMMAND…: appends its milliseconds
  local name=$1 begin end
  shift
  begin=$(date +%s%N)
  "$@"
  end=$(date +%s%N)
  echo $(((end - begin) / 1000000)) >>"$work/times.$name"
}

steps=(seal_peer seal_ours open_peer open_ours backup "backup --level 3" "backup --scan report" scan)
command -v restic >/dev/null && steps+=(restic_backup)
for run in $(seq 0 "$runs"); do
  for step in "${steps[@]}"; do
    # A repository is made once, and its key derivation takes a second.
    [ "$step" != restic_backup ] || { rm -rf "$work/restic"; restic init -q; }
    # shellcheck disable=SC2086  # the words of a step are a command
    time_one "${step// /_}" $step
  done
  [ "$run" -gt 0 ] || rm -f "$work"/times.*
done

"${age[@]}" --version | sed 's/^/age /'
"${zstd[@]}" --version
command -v restic >/dev/null && restic version
median() { sort -n "$work/times.$1" | sed -n "$(((runs + 1) / 2))p"; }
row() { # row NAME PEER
  printf '%-24s %6d ms %5.2f x %s\n' "$1" "$(median "$1")" "$(awk "BEGIN{print $(median "$1")/$(median "$2")}")" "$2"
}
row seal_ours seal_peer
row open_ours open_peer
row backup seal_peer
row backup_--level_3 seal_peer
row backup_--scan_report scan
if command -v restic >/dev/null; then row restic_backup backup; fi
printf 'size %s, of the peer %s\n' "$(stat -c %s "$work/ours.age")" "$(stat -c %s "$work/peer.age")"
# The most that was resident, as the kernel counted it.
for step in "encrypt $file -o $work/o.age -r $to" "backup $work/data --to $work/dest2 --label a -r $to --scan report"; do
  # shellcheck disable=SC2086
  python3 -c 'import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); print(sys.argv[2], resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10, "MiB resident")' "$vfs" $step
done
