#!/usr/bin/env bash
# start_dotkey.sh WORKDIR PORT   the local proxy as a contestant of run_proxy.sh, which gets it by
#   EXTRA_DIR=$PWD/tests/bench AUTHORITY_dotkey=$(tests/bench/start_dotkey.sh --host):5802 \
#     run_proxy.sh direct squidbump dotkey
HOST=yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no.key
if [ "$1" = --host ]; then echo "$HOST"; exit; fi
. "$BENCH_LIB"
WD=$1 PORT=$2
PROGRAM=$(cd "$(dirname "$0")/../.." && pwd)/build/release/tests/proxy/contestant
launch dotkey "$WD" "$PROGRAM" "$PORT" "$HOST" "$ORIGIN_TLS_PORT" "$ORIGIN_CERT" "$WD/dotkey.ca"
wait_tcp "$PORT"
cat "$WD/dotkey.pid"
