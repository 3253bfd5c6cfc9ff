#!/usr/bin/env bash
# Three nodes in a chain, real data, one of them killed on the way: what Rhizome does, in half a
# minute. Called by `./run demo` and by ctest; needs the built executable and Debian's iso-codes.
# Everything happens in one temporary folder and ends with it: nothing is left running or behind.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${RHIZOME_BUILD_DIR:-$root/build}
export PATH="$build/bin:$PATH"
data=/usr/share/iso-codes/json
maps=$root/samples/iso-codes
country=${1:-SE}
home=$(mktemp -d "${TMPDIR:-/tmp}/rhizome-demo.XXXXXX")
export TMPDIR=$home  # the private copies of plugins go with the rest
declare -A pid=() key=() address=()

cleanup() {
  local name
  [ -z "${pid[import]:-}" ] || kill "${pid[import]}" 2>/dev/null || true
  for name in "${!pid[@]}"; do kill "${pid[$name]}" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$home"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say() { printf '%s\n' "$*"; }
die() {
  say "demo: $*" >&2
  tail -n 5 "$home"/*.log >&2 2>/dev/null || true
  exit 1
}
now() { date +%s%3N; }                                             # milliseconds
seconds() { printf '%d.%d' "$(($1 / 1000))" "$(($1 % 1000 / 100))"; }  # of milliseconds
field() { sed -n "s/.*\"$1\": *\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p" | head -n 1; }
status() { rhizome status --node "$home/$1" --json 2>/dev/null || true; }

# A port on which nobody listens, from the given one on.
free_port() {
  local port=$1
  while (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; do port=$((port + 1)); done
  printf '%s' "$port"
}

# make NAME PORT [--peer ...]: a node's directory with its key and config.
make() {
  local name=$1 made
  address[$name]=tcp://127.0.0.1:$2
  shift 2
  made=$(rhizome init "$home/$name" --listen "${address[$name]}" --json "$@")
  key[$name]=$(field key <<<"$made")
}

# expect NAME PEER: lets PEER connect to NAME, which does not dial it.
expect() {
  local config=$home/$1/rhizome.yaml
  sed -i -e 's/^peers: \[\]/peers:/' -e "s/^peers:.*/peers:\n  - name: $2\n    key: ${key[$2]}/" \
    "$config"
  rhizome config check "$config" >/dev/null || die "the config of $1 is not right"
}

start() {
  rhizome run "$home/$1" >"$home/$1.out" 2>>"$home/$1.log" &
  pid[$1]=$!
  for _ in $(seq 400); do
    grep -q '^ready' "$home/$1.out" && return
    kill -0 "${pid[$1]}" 2>/dev/null || die "node $1 did not start"
    sleep 0.05
  done
  die "node $1 was not ready within 20 seconds"
}

# Without the shell's own word on it.
kill_hard() { { kill -9 "${pid[$1]}"; wait "${pid[$1]}"; } 2>/dev/null || true; }

say "Rhizome: three nodes in a chain a - b - c, each with a LevelDB of its own,"
say "linked by ZeroMQ with CURVE; a node knows only its neighbours' keys."
port=$(free_port $((20000 + RANDOM % 20000)))
make a "$port"
make b "$(free_port $((port + 1)))" --peer "a=${key[a]}@${address[a]}"
make c "$(free_port $((port + 2)))" --peer "b=${key[b]}@${address[b]}"
expect a b
expect b c
authority=$(rhizome keygen "$home/authority.key" --json | field key)
for name in a b c; do
  printf 'roster:\n  authority: %s\n' "$authority" >>"$home/$name/rhizome.yaml"
  start "$name"
done
say
say "Importing Debian's iso-codes into a, while b in the middle is killed with kill -9:"

begun=$(now)
import_all() {
  local file
  for file in "$@"; do
    rhizome import "$data/${file#*:}.json" --map "$maps/${file%:*}.map.yaml" --node "$home/a" |
      sed "s,^$data/,  ,"
  done
}
import_all countries:iso_3166-1 subdivisions:iso_3166-2 language-groups:iso_639-2 \
  scripts:iso_15924 currencies:iso_4217 &
pid[import]=$!

# As soon as b holds some of it.
for _ in $(seq 1200); do
  held=$(status b | field deltas)
  [ "${held:-0}" -lt 2000 ] || break
  sleep 0.02
done
[ "${held:-0}" -ge 2000 ] || die "nothing reached b"
kill_hard b
say "  -- b killed with $held deltas on its disk"
sleep 0.5
restarted=$(now)
start b
say "  -- b is back after $(seconds $(($(now) - restarted))) s, with $(status b | field deltas) deltas"
wait "${pid[import]}" || die "the import failed"
unset 'pid[import]'
imported=$(now)

say
say "Waiting until all three hold the same set ..."
for _ in $(seq 1200); do
  digests=$(for name in a b c; do status "$name" | field digest; done | sort | uniq -c)
  [ "$(wc -l <<<"$digests")" -gt 1 ] || break
  sleep 0.1
done
[ "$(wc -l <<<"$digests")" -eq 1 ] || die "no agreement within two minutes"
converged=$(now)
deltas=$(status a | field deltas)
for name in a b c; do
  printf '  %s  %7d deltas  state digest %s\n' "$name" "$(status "$name" | field deltas)" \
    "$(status "$name" | field digest)"
done

say
rule='{"some":[{"var":"pointers"},{"and":[{"==":[{"var":"target.id"},"country:'$country'"]},{"==":[{"var":"target.context"},"subdivisions"]}]}]}'
say "Asking c, the last of the chain, which was told nothing by hand: the subdivisions of $country,"
say "by the JSON-Logic rule $rule"
asked=$(now)
rhizome query --node "$home/c" --limit 0 --filter "$rule" >"$home/found" || die "the query failed"
answered=$(now)
say "  $(wc -l <"$home/found") deltas in $(seconds $((answered - asked))) s; the first five subdivisions:"
sed -n 's/.*"id":"\(subdivision:[^"]*\)".*/\1/p' "$home/found" | head -n 5 |
  while read -r id; do
    printf '  %-20s %s\n' "$id" "$(rhizome get "$id" --node "$home/c" | sed -n 's/^ *name  *\(.*[^ ]\)  .*/\1/p')"
  done
say
say "And the entity itself:"
rhizome get "country:$country" --node "$home/c" | sed 's/^/  /'

say
say "Who has my data? The roster says that a, b and c count. c is killed, and a writes:"
rhizome roster set "a=${key[a]}" "b=${key[b]}" "c=${key[c]}" --key "$home/authority.key" \
  --node "$home/a" >/dev/null
kill_hard c
# confirmed ARGUMENT...: what a says of a write that waits for a majority, without its id.
confirmed() {
  rhizome write movie:matrix "$@" --confirm majority --node "$home/a" 2>&1 | grep -v '^1e20' |
    sed 's/^/  /'
}
confirmed title 'The Matrix' --deadline 30 || die "a majority of three did not hold the write"
say "Now b is killed too, and a is told that it stands alone:"
kill_hard b
confirmed year 1999 --deadline 1 && die "one of three is no majority"
rhizome get movie:matrix --node "$home/a" | sed 's/^/  /'
say "Both come back; c, at the other end, sees the value confirmed:"
start b
start c
for _ in $(seq 600); do
  rhizome get movie:matrix --min-confirm all --node "$home/c" >"$home/seen" 2>/dev/null &&
    grep -q year "$home/seen" && break
  sleep 0.05
done
grep -q year "$home/seen" || die "c does not see the write confirmed within 30 seconds"
sed 's/^/  /' "$home/seen"

say
say "What am I missing? c joins a too, by one line, and goes away; meanwhile a imports:"
rhizome join "$(rhizome invite --node "$home/a" 2>/dev/null)" --node "$home/c" >/dev/null
for _ in $(seq 200); do
  [ "$(status c | field peers_up)" != 2 ] || break
  sleep 0.05
done
[ "$(status c | field peers_up)" = 2 ] || die "c did not find a within ten seconds"
kill "${pid[c]}"
wait "${pid[c]}" || die "node c did not end cleanly"
import_all languages:iso_639-3
returned=$(now)
start c
for _ in $(seq 1200); do
  [ "$(status c | field digest)" != "$(status a | field digest)" ] || break
  sleep 0.05
done
[ "$(status c | field digest)" = "$(status a | field digest)" ] || die "c did not catch up"
say "  -- c is back and has everything after $(seconds $(($(now) - returned))) s; what it fetched from whom:"
sleep 1.2  # a peer's figures are told once a heartbeat
rhizome peers --node "$home/c" | sed 's/^/  /'

mebibytes() { awk -v bytes="${1:-0}" 'BEGIN { printf "%.1f", bytes / 1048576 }'; }
import_ms=$((imported - begun))
all_ms=$((converged - begun))
say
say "                              a         b         c"
printf '  deltas              %9d %9d %9d\n' "$(status a | field deltas)" "$(status b | field deltas)" \
  "$(status c | field deltas)"
printf '  MiB on disk         %9s %9s %9s\n' "$(mebibytes "$(status a | field store_bytes)")" \
  "$(mebibytes "$(status b | field store_bytes)")" "$(mebibytes "$(status c | field store_bytes)")"
for name in a b c; do kill "${pid[$name]}"; done
for name in a b c; do wait "${pid[$name]}" || die "node $name did not end cleanly"; done
pid=()
printf '  imported and signed %8s s   %d deltas/s\n' "$(seconds "$import_ms")" \
  $((deltas * 1000 / import_ms))
printf '  on all three nodes  %8s s   %d deltas/s, the crash of b included\n' "$(seconds "$all_ms")" \
  $((deltas * 1000 / all_ms))
cat <<'NEXT'

Go on with a node of your own:
  export PATH="$PWD/build/bin:$PATH"
  rhizome init mine && rhizome run mine &
  rhizome write movie:matrix title 'The Matrix' --node mine
  rhizome get movie:matrix --node mine
  rhizome --help
NEXT
