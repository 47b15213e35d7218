#!/usr/bin/env bash
# Whole processes: cold start against named programs in the same run, commands beside a running node,
# and what an idle node with three peers takes. Prints figures; nothing here passes or fails.
#   tests/bench/processes.sh PATH/TO/timectl
set -euo pipefail
timectl=$1
scratch=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$scratch"
}
trap finish EXIT

# median_ms COMMAND...: of 60 runs after 5 that warm the caches.
median_ms() {
  hyperfine --warmup 5 --runs 60 --shell=none --export-json "$scratch/times" "$*" >/dev/null 2>&1
  jq -r '.results[0].median * 1000 * 100 | round / 100' "$scratch/times"
}
ratio() { jq -n --argjson a "$1" --argjson b "$2" '$a / $b * 100 | round / 100'; }

own=$(median_ms "$timectl" --version)
litecoin=$(median_ms litecoin-cli --version)
sqlite=$(median_ms sqlite3 --version)
echo "timectl --version          $own ms   (goal: under 10)"
echo "  of litecoin-cli's        $(ratio "$own" "$litecoin")      ($litecoin ms; goal: at most 0.8)"
echo "  of sqlite3's             $(ratio "$own" "$sqlite")      ($sqlite ms; goal: at most 1.5)"

for last in 2 3 4 5; do
  dir=$scratch/$last
  mkdir "$dir"
  peers=$(for other in 2 3 4 5; do [ "$other" = "$last" ] || printf '"127.62.0.%s", ' "$other"; done)
  printf '[node]\nlisten = "127.62.0.%s"\n[network]\nname = "testnet"\nport = 24656\nwhitelisted_peers = [%s]\n[discovery]\nenabled = false\n' \
    "$last" "$peers" >"$dir/t.toml"
  "$timectl" --config "$dir/t.toml" --data-dir "$dir/data" --socket "$dir/node.sock" \
    node start --foreground 2>"$dir/log" &
  pids+=($!)
done
flags=(--config "$scratch/2/t.toml" --data-dir "$scratch/2/data" --socket "$scratch/2/node.sock")
for _ in $(seq 200); do
  connected=$("$timectl" "${flags[@]}" --json status 2>/dev/null | jq -r '.data.masternodes.connected') || true
  [ "$connected" = 3 ] && break
  sleep 0.1
done
echo "masternodes connected      $connected of 3"
echo "whitelist list, node up    $(median_ms "$timectl" "${flags[@]}" whitelist list) ms   (goal: under 20)"
echo "status, node up            $(median_ms "$timectl" "${flags[@]}" status) ms"

ticks() { awk '{print $14 + $15}' "/proc/${pids[0]}/stat"; }
before=$(ticks)
sleep 60
used=$(($(ticks) - before))
rss=$(awk '/VmRSS/ {print $2}' "/proc/${pids[0]}/status")
echo "idle node, three peers     $((rss / 1024)) MB RSS ($rss kB; goal: under 25 MB)"
echo "  CPU over 60 s            $(jq -n --argjson t "$used" --argjson hz "$(getconf CLK_TCK)" '$t / $hz / 60 * 100 * 1000 | round / 1000') % of a core   (goal: under 0.2)"
