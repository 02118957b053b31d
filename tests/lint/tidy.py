#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules as checks: tidy.py CHECK [--build DIR] [--fix], or tidy.py --list.

A check yields findings. exceptions.txt excuses a file from a check, with the reason; an excuse that
is no longer needed is a finding itself, so the list can only shrink.
"""
import argparse
import collections
import fnmatch
import pathlib
import subprocess
import sys

Finding = collections.namedtuple("Finding", "path line message")

HERE = pathlib.Path(__file__).resolve().parent


class Tree:
    """The files under version control (or about to be) below one root."""

    def __init__(self, root, build=None, files=None):
        self.root = pathlib.Path(root)
        self.build = pathlib.Path(build) if build else None
        self.files = files if files is not None else self._list()
        self._texts = {}

    def _list(self):
        out = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"],
            cwd=self.root, check=True, capture_output=True, text=True).stdout
        return sorted(f for f in set(out.split("\0")) if f and (self.root / f).is_file())

    def matching(self, *patterns):
        return [f for f in self.files if any(fnmatch.fnmatch(f, p) for p in patterns)]

    def text(self, path):
        if path not in self._texts:
            self._texts[path] = (self.root / path).read_text(encoding="utf-8", errors="replace")
        return self._texts[path]

    def lines(self, path):
        return list(enumerate(self.text(path).splitlines(), 1))

    def cpp(self, *below):
        return [f for f in self.matching("*.cpp", "*.h")
                if not below or f.startswith(tuple(below))]


def read_exceptions(text):
    """Lines of `check path reason…` → {(check, path): reason}."""
    exceptions = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        check, path, reason = line.split(maxsplit=2)
        exceptions[check, path] = reason
    return exceptions


def apply_exceptions(check, findings, exceptions):
    used = set()
    kept = []
    for finding in findings:
        if (check, finding.path) in exceptions:
            used.add(finding.path)
        else:
            kept.append(finding)
    for excused_check, path in exceptions:
        if excused_check == check and path not in used:
            kept.append(Finding("tests/lint/exceptions.txt", 0,
                                f"'{check} {path}' is no longer needed; delete it"))
    return kept


def main():
    sys.path.insert(0, str(HERE))
    import checks_code
    import checks_text
    checks = {**checks_text.CHECKS, **checks_code.CHECKS}

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checks", nargs="*", metavar="CHECK")
    parser.add_argument("--build", help="build folder, for the checks that read its products")
    parser.add_argument("--fix", action="store_true", help="rewrite generated documents")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        for name, check in checks.items():
            print(f"{name:12} {check.__doc__.splitlines()[0]}")
        return 0

    tree = Tree(HERE.parent.parent, arguments.build)
    if arguments.fix:
        checks_text.write_error_table(tree)
        tree = Tree(tree.root, tree.build)
    exceptions = read_exceptions((HERE / "exceptions.txt").read_text(encoding="utf-8"))
    bad = 0
    for name in arguments.checks:
        for finding in apply_exceptions(name, list(checks[name](tree)), exceptions):
            print(f"{finding.path}:{finding.line}: {name}: {finding.message}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
