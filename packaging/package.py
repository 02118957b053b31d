#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""package.py OUT: what is handed to others, the same bytes whenever it is built of the same tree.

dotkey-chrome-VERSION.zip and dotkey-firefox-VERSION.xpi for the stores, dotkey_VERSION_ARCH.deb,
and dotkey-VERSION-source.tar.gz for whoever reviews them. Needs `./dev build` and
`./dev build wasm`. Times are those of the commit (SOURCE_DATE_EPOCH overrides them).
"""
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = "/usr/bin/dotkey"
# Where browsers look for the program, for all users (host/install/browsers.cpp).
HOST_MANIFESTS = {
    "org.dotkey.host.chromium.json.in": ["etc/chromium/native-messaging-hosts",
                                         "etc/opt/chrome/native-messaging-hosts",
                                         "etc/opt/edge/native-messaging-hosts"],
    "org.dotkey.host.firefox.json.in": ["usr/lib/mozilla/native-messaging-hosts"],
}
# Loaded at run time, so that no tool sees them.
FURTHER_DEPENDENCIES = ["libnss3"]


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def git(*arguments):
    return run("git", "-c", "safe.directory=*", *arguments, cwd=ROOT).strip()


def files_below(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def write_zip(out, folder, epoch):
    """Sorted, one time, one mode; the compressor is zlib's at a fixed level."""
    when = time.gmtime(max(epoch, 315_532_800))[:6]  # zip knows no time before 1980
    with zipfile.ZipFile(out, "w") as archive:
        for path in files_below(folder):
            # Chrome's own, where the folder was loaded unpacked.
            if "_metadata" in path.relative_to(folder).parts:
                continue
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), when)
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)


def write_source(out, version):
    tar = subprocess.run(["git", "-c", "safe.directory=*", "archive", "--format=tar",
                          f"--prefix=dotkey-{version}/", "HEAD"],
                         cwd=ROOT, check=True, capture_output=True).stdout
    with open(out, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(tar)


def put(root, path, data, mode=0o644):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data if isinstance(data, bytes) else data.encode())
    target.chmod(mode)


def dependencies_of(program):
    """The packages of the libraries that the program is linked with."""
    with tempfile.TemporaryDirectory() as folder:
        put(pathlib.Path(folder), "debian/control",
            "Source: dotkey\n\nPackage: dotkey\nArchitecture: any\n")
        text = run("dpkg-shlibdeps", "-O", str(program), cwd=folder)
    found = re.search(r"shlibs:Depends=(.*)", text)[1].split(", ")
    return ", ".join(sorted(found + FURTHER_DEPENDENCIES))


def fill_tree(tree):
    put(tree, PROGRAM[1:], (ROOT / "build/release/dotkey").read_bytes(), 0o755)
    run("strip", "--strip-all", str(tree / PROGRAM[1:]))
    for template, folders in HOST_MANIFESTS.items():
        text = (ROOT / "manifests" / template).read_text()
        text = text.replace("@DOTKEY_PROGRAM@", json.dumps(PROGRAM))
        for folder in folders:
            put(tree, f"{folder}/org.dotkey.host.json", text)
    put(tree, "etc/chromium.d/dotkey", (ROOT / "manifests/chromium-flags.sh").read_bytes())
    put(tree, "usr/lib/systemd/user/dotkey.service",
        (ROOT / "manifests/dotkey.service").read_text()
        .replace("ExecStart=dotkey", f"ExecStart={PROGRAM}")
        .replace("Copy it to ~/.config/systemd/user, then:\n"
                 "#   systemctl --user daemon-reload && systemctl --user enable --now dotkey",
                 "To have one from the login on:\n#   systemctl --user enable --now dotkey"))
    put(tree, "usr/share/doc/dotkey/copyright", (ROOT / "packaging/copyright").read_bytes())
    put(tree, "usr/share/doc/dotkey/changelog.gz",
        gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), 9, mtime=0))
    return [f"/{path.relative_to(tree)}" for path in files_below(tree) if path.parts[
        len(tree.parts)] == "etc"]


def write_deb(out, version, architecture, epoch):
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder, "dotkey")
        settings = fill_tree(tree)
        control = (ROOT / "packaging/control.in").read_text()
        for name, value in {"VERSION": version, "ARCHITECTURE": architecture,
                            "DEPENDS": dependencies_of(tree / PROGRAM[1:]),
                            "SIZE": str(sum(-(-path.stat().st_size // 1024)
                                            for path in files_below(tree)))}.items():
            control = control.replace(f"@{name}@", value)
        put(tree, "DEBIAN/control", control)
        put(tree, "DEBIAN/conffiles", "".join(f"{path}\n" for path in settings))
        put(tree, "DEBIAN/md5sums", "".join(
            f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n"
            for path in files_below(tree) if "DEBIAN" not in path.parts))
        for path in [tree, *tree.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
            os.utime(path, (epoch, epoch))
        run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(out),
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct"))
    version = json.loads((ROOT / "extension-chrome/manifest.json").read_text())["version"]
    architecture = run("dpkg", "--print-architecture").strip()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    write_zip(out / f"dotkey-chrome-{version}.zip", ROOT / "build/extension-chrome", epoch)
    write_zip(out / f"dotkey-firefox-{version}.xpi", ROOT / "build/extension-firefox", epoch)
    write_deb(out / f"dotkey_{version}_{architecture}.deb", version, architecture, epoch)
    write_source(out / f"dotkey-{version}-source.tar.gz", version)
    for path in files_below(out):
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}")


if __name__ == "__main__":
    main()
