# SPDX-License-Identifier: Apache-2.0
"""Checks that read text: sizes, words, links, vectors, error slugs."""
import json
import pathlib
import re

from tidy import Finding

SOURCE = ("*.cpp", "*.h", "*.py", "*.js", "*.mjs", "*.sh", "*.cmake", "*CMakeLists.txt", "dev",
          ".ci/run")
PROSE = ("*.md",)


def check_columns(tree):
    """No line of source is longer than 100 columns."""
    for path in tree.matching(*SOURCE):
        for number, line in tree.lines(path):
            if len(line) > 100:
                yield Finding(path, number, f"{len(line)} columns; the limit is 100")


def check_files(tree):
    """A file holds one idea: 500 lines, 800 in tests."""
    for path in tree.matching(*SOURCE):
        limit = 800 if path.startswith("tests/") else 500
        count = len(tree.lines(path))
        if count > limit:
            yield Finding(path, limit, f"{count} lines; split it, the limit is {limit}")


def check_functions(tree):
    """A function fits a screen: 70 lines."""
    opening = re.compile(r"^( *)(?!namespace|class|struct|enum|union|extern|template).*\)[^;]*\{$")
    for path in tree.cpp():
        open_at = None
        for number, line in tree.lines(path):
            if open_at is None:
                match = opening.match(line)
                if match and len(match[1]) in (0, 2):
                    open_at, closing = number, match[1] + "}"
            elif line.startswith(closing) and not line[len(closing):].startswith(" else"):
                if number - open_at + 1 > 70:
                    yield Finding(path, open_at, f"a function of {number - open_at + 1} lines")
                open_at = None


def check_spdx(tree):
    """Source files begin with the licence."""
    for path in tree.matching("*.cpp", "*.h", "*.js", "*.mjs"):
        lines = tree.text(path).splitlines()[:2]
        if not any(line == "// SPDX-License-Identifier: Apache-2.0" for line in lines):
            yield Finding(path, 1, "begin with // SPDX-License-Identifier: Apache-2.0")
    for path in tree.matching("*.h"):
        if "#pragma once" not in tree.text(path):
            yield Finding(path, 1, "#pragma once is missing")


# Written in halves so that this file passes its own check.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b|not (yet )?imple" r"mented")


def check_unfinished(tree):
    """Nothing is left for later in a comment."""
    for path in tree.matching(*SOURCE, *PROSE):
        for number, line in tree.lines(path):
            if UNFINISHED.search(line):
                yield Finding(path, number, "finish it, or open an issue and delete the note")


def check_names(tree):
    """Files are named by what they hold."""
    vague = re.compile(r"(^|_|-)(util|utils|helper|helpers|manager|misc|common|handler)(_|-|\.|$)")
    for path in tree.matching("*.cpp", "*.h"):
        name = path.rsplit("/", 1)[-1]
        if vague.search(name):
            yield Finding(path, 0, "name the file after the one idea in it")
        if not re.fullmatch(r"[a-z0-9_]+\.(cpp|h)", name):
            yield Finding(path, 0, "C++ files are snake_case")


def check_orphans(tree):
    """Every C++ source is built."""
    for path in tree.matching("*.cpp"):
        folder, name = path.rsplit("/", 1)
        registered = name
        if folder in ("tests/fuzz", "tests/bench"):
            registered = "(" + name.split("_", 1)[1].removesuffix(".cpp")
        while folder and f"{folder}/CMakeLists.txt" not in tree.files:
            registered = folder.rsplit("/", 1)[-1] + "/" + registered
            folder = folder.rpartition("/")[0]
        lists = tree.text(f"{folder}/CMakeLists.txt") if folder else ""
        if registered not in lists:
            yield Finding(path, 0, "no CMakeLists.txt builds this file; add or delete it")


def check_blobs(tree):
    """No large file slips in."""
    for path in tree.files:
        size = (tree.root / path).stat().st_size
        if size > 256 * 1024:
            yield Finding(path, 0, f"{size} bytes; generate or fetch it instead")


def heading_anchors(text):
    anchors = set()
    for line in text.splitlines():
        if line.startswith("#"):
            title = line.lstrip("#").strip().lower().replace("`", "")
            anchors.add(re.sub(r"[^\w\- ]", "", title).replace(" ", "-"))
    return anchors


def check_links(tree):
    """Links in documents lead somewhere."""
    link = re.compile(r"\]\(([^)\s]+)\)")
    folders = {str(parent) for file in tree.files for parent in pathlib.Path(file).parents}
    for path in tree.matching(*PROSE):
        for number, line in tree.lines(path):
            for target in link.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                file, _, anchor = target.partition("#")
                folder = path.rpartition("/")[0]
                parts = [p for p in f"{folder}/{file}".split("/") if p not in ("", ".")]
                while ".." in parts:
                    at = parts.index("..")
                    del parts[max(at - 1, 0):at + 1]
                where = "/".join(parts) if file else path
                if where not in tree.files and where not in folders:
                    yield Finding(path, number, f"the link leads nowhere: {target}")
                elif anchor and anchor not in heading_anchors(tree.text(where)):
                    yield Finding(path, number, f"no such heading: {target}")


def check_vectors(tree):
    """Vector files are valid JSON, and some test reads each."""
    readers = "\n".join(tree.text(f) for f in tree.files
                        if f.startswith("tests/") and f.endswith((".cpp", ".py", ".mjs", ".js")))
    for path in tree.matching("tests/vectors/*.json"):
        try:
            json.loads(tree.text(path))
        except json.JSONDecodeError as error:
            yield Finding(path, error.lineno, error.msg)
        name = path.removeprefix("tests/vectors/")
        if name not in readers:
            yield Finding(path, 0, "no test reads this file")


ERROR_LINE = re.compile(r'X\((\w+),\s*"([^"]+)",\s*"((?:[^"\\]|\\.)+)"\)')
ERROR_TABLE = "docs/protocol/errors.md"
ERROR_HEADER = """# Error slugs

Every expected failure has a stable slug. Scripts and the user interface may rely on it. On the
command line the slug goes to stderr with this sentence and the details, and the exit code is 1.

This table is written from `core/base/error.h` by `./dev format`.

| slug | cause and fix |
|---|---|
"""


def error_table(tree):
    rows = ERROR_LINE.findall(tree.text("core/base/error.h"))
    return ERROR_HEADER + "".join(f"| `{slug}` | {text} |\n" for _, slug, text in sorted(
        rows, key=lambda row: row[1]))


def write_error_table(tree):
    target = tree.root / ERROR_TABLE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(error_table(tree), encoding="utf-8")


def check_slugs(tree):
    """Error slugs are unique, well formed and documented."""
    source = "core/base/error.h"
    rows = ERROR_LINE.findall(tree.text(source))
    seen = set()
    for name, slug, _ in rows:
        if not re.fullmatch(r"[a-z0-9]+(\.[a-z0-9_]+)?", slug) or slug.replace(".", "_") != name:
            yield Finding(source, 0, f"{slug}: a slug is area.what, its enumerator area_what")
        if slug in seen:
            yield Finding(source, 0, f"{slug} is listed twice")
        seen.add(slug)
    if ERROR_TABLE not in tree.files or tree.text(ERROR_TABLE) != error_table(tree):
        yield Finding(ERROR_TABLE, 0, "out of date; run ./dev format")


def check_dead_errors(tree):
    """Every error of the list can happen."""
    source = "core/base/error.h"
    code = "\n".join(tree.text(f) for f in tree.cpp("core/", "host/", "wasm/") if f != source)
    for name, _, _ in ERROR_LINE.findall(tree.text(source)):
        if not re.search(rf"\bErrorCode::{name}\b", code):
            yield Finding(source, 0, f"nothing fails with {name}; delete it")


LOCALES = "extension-common/_locales/"
# Named by a slug.
NAMED = re.compile(r"^(cause|fix)_")


def _patterns(tree):
    """Names of messages in the extension's code: whole, or with something put in."""
    for path in tree.matching("extension-*/*.js", "extension-*/*.html", "extension-*/*.json"):
        if path.startswith(LOCALES):
            continue
        text = tree.text(path)
        for literal in re.findall(r"""['"`]((?:[\w]|\$\{[^}]*\})+)['"`]""", text):
            yield path, re.sub(r"\$\{[^}]*\}", "*", literal)
        for literal in re.findall(r"__MSG_(\w+)__", text):
            yield path, literal


def _needed(tree):
    for path in tree.matching("extension-*/*.js", "extension-*/*.html", "extension-*/*.json"):
        text = tree.text(path)
        found = re.findall(r'''(?:data-i18n(?:-\w+)?="|__MSG_)(\w+?)(?:"|__)''', text)
        found += re.findall(r"translate\('(\w+)'", text)
        for name in found:
            yield path, name


def check_locales(tree):
    """Every message that is used exists in English, none is unused, all languages have the same."""
    english = json.loads(tree.text(LOCALES + "en/messages.json"))
    for path, name in _needed(tree):
        if name not in english:
            yield Finding(path, 0, f"no message '{name}' in {LOCALES}en")
    used = {pattern for _, pattern in _patterns(tree)}
    wild = [re.compile(re.escape(p).replace(r"\*", r"\w+") + "$") for p in used
            if "*" in p and len(p.replace("*", "")) > 3]
    for name, entry in english.items():
        if not (name in used or NAMED.match(name) or any(p.match(name) for p in wild)):
            yield Finding(LOCALES + "en/messages.json", 0, f"'{name}' is used nowhere")
        if not entry.get("description"):
            yield Finding(LOCALES + "en/messages.json", 0, f"'{name}' has no description")
    for path in tree.matching(LOCALES + "*/messages.json"):
        other = json.loads(tree.text(path))
        for name in sorted(english.keys() ^ other.keys()):
            yield Finding(path, 0, f"'{name}' is not in both this language and English")
        for name in english.keys() & other.keys():
            places = [sorted(set(re.findall(r"\$\d", one[name]["message"])))
                      for one in (english, other)]
            if places[0] != places[1] or "<" in other[name]["message"]:
                yield Finding(path, 0, f"'{name}' puts in other values than English, or markup")


CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items())
          if name.startswith("check_")}
