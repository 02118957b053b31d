#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sandbox.sh COMMAND…: runs it in a network of its own, where the only resolver is at 127.0.0.1, so
# that a test can watch every name that leaves a browser. Needs root or user namespaces.
set -eu
if [ "${DOTKEY_SANDBOX:-}" != inside ]; then
  as_root=
  [ "$(id -u)" -eq 0 ] || as_root=--map-root-user
  DOTKEY_SANDBOX=inside exec unshare $as_root --net --mount "$0" "$@"
fi
ip link set lo up
resolver=$(mktemp)
echo 'nameserver 127.0.0.1' >"$resolver"
mount --bind "$resolver" /etc/resolv.conf
exec "$@"
