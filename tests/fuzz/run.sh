#!/bin/sh
# run.sh BINARY CORPUS WORK_DIR must_pass|must_crash [SECONDS]
# Replays the corpus, then fuzzes. With the default 20 s a clean run is recorded under the hash of
# the binary and its corpus; the same pair is not fuzzed again until one of them changes. The 20 s
# try the same inputs each time, so that what a check says follows from the code; longer runs try
# new ones.
set -eu
binary=$1 corpus=$2 work=$3 verdict=$4 seconds=${5:-${DOTKEY_FUZZ_SECONDS:-20}}

mkdir -p "$work/found"
[ -d "$corpus" ] || { echo "no corpus: $corpus"; exit 1; }
inputs=$(find "$corpus" -type f | LC_ALL=C sort)
key=$(printf '%s' "$inputs" | xargs -d '\n' cat "$binary" | sha256sum | cut -c1-32)
stamp=$work/clean-$key
if [ "$seconds" = 20 ] && [ -e "$stamp" ]; then
  echo "clean for 20 s before, unchanged since: $(cat "$stamp")"
  exit 0
fi

set -- "$work/found" "$corpus" "-artifact_prefix=$work/" -timeout=10 -rss_limit_mb=2048 \
  -max_len="${DOTKEY_FUZZ_LENGTH_MAX:-4096}" -max_total_time="$seconds" -print_final_stats=1
[ "$seconds" != 20 ] || set -- "$@" -seed=1
status=0
"$binary" "$@" >"$work/log" 2>&1 || status=$?

if [ "$verdict" = must_crash ]; then
  [ "$status" -ne 0 ] || { tail -n 20 "$work/log"; echo "the planted bug was not found"; exit 1; }
  grep -q 'deadly signal' "$work/log" || { tail -n 20 "$work/log"; exit 1; }
  rm -rf "$work/found" "$work"/crash-*
else
  [ "$status" -eq 0 ] || { tail -n 60 "$work/log"; exit "$status"; }
fi
summary=$(sed -n 's/^stat::number_of_executed_units: */runs: /p' "$work/log")
rm -f "$work"/clean-*
[ "$seconds" != 20 ] || echo "${summary:-crashed as planned}" >"$stamp"
echo "${summary:-crashed as planned}"
