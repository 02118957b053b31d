#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""failures.py JUNIT.XML [LINES]: the last lines that each failed test of a ctest run printed."""
import sys
import xml.etree.ElementTree

LINES = 120


def failed_in(path):
    """(name, output) of each test that did not pass."""
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        if case.get("status") != "run":
            yield case.get("name"), case.findtext("system-out") or ""


def main(path, lines=LINES):
    for name, output in failed_in(path):
        print(f"-- {name} failed; its last lines:")
        print("\n".join(output.rstrip().split("\n")[-int(lines):]))


if __name__ == "__main__":
    main(*sys.argv[1:])
