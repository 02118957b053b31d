#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# debian-source.sh PACKAGE DESTINATION: unpacks the source of a Debian package, Debian's patches
# applied. apt's own client fetches it and checks its signature chain. It keeps its lists in a
# private folder, so neither root nor a change of /etc/apt is needed.
set -eu
package=$1 destination=$2
[ ! -e "$destination/.complete" ] || exit 0

state=$(dirname "$destination")/apt
mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/sources"
archive=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null |
  head -n 1)
: "${archive:=http://deb.debian.org/debian}"
for origin in "$archive bookworm" "$archive-security bookworm-security"; do
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $origin main"
done >"$state/sources.list"

private_apt() {
  apt-get -qq -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=- \
    -o Dir::State::Lists="$state/lists" -o Dir::Cache="$state" -o APT::Sandbox::User= "$@"
}

ls "$state"/lists/*Sources* >/dev/null 2>&1 || private_apt update
(cd "$state/sources" && private_apt source --download-only "$package")
rm -rf "$destination"
dpkg-source --no-check -x "$state/sources/$package"_*.dsc "$destination" >/dev/null
touch "$destination/.complete"
