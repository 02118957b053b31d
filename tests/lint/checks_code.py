# SPDX-License-Identifier: Apache-2.0
"""Checks that understand code: layers, symbols, banned calls, clang-format, clang-tidy."""
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess

from tidy import Finding

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')


def read_layers(tree):
    """core/LAYERS as {module: height}."""
    rows = [line.split() for line in tree.text("core/LAYERS").splitlines()
            if line.strip() and not line.startswith("#")]
    return {module: height for height, row in enumerate(rows) for module in row}


def check_layers(tree):
    """Includes and CMake targets point down core/LAYERS only."""
    layers = read_layers(tree)
    for path in tree.files:
        if not path.startswith("core/") or path.count("/") < 2:
            continue
        module = path.split("/")[1]
        if module not in layers:
            yield Finding(path, 0, f"core/LAYERS does not know {module}")
        elif path.endswith((".cpp", ".h")):
            yield from includes_of(tree, path, module, layers)
        elif path.endswith("CMakeLists.txt"):
            yield from links_of(tree, path, module, layers)
    for path in tree.cpp("host/"):
        for number, line in tree.lines(path):
            match = INCLUDE.match(line)
            if match and match[1].startswith(("tests/", "wasm/")):
                yield Finding(path, number, f"host must not include {match[1]}")


def includes_of(tree, path, module, layers):
    for number, line in tree.lines(path):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match[1]
        if target.startswith("core/"):
            other = target.split("/")[1]
            if other != module and layers.get(other, 99) >= layers[module]:
                yield Finding(path, number, f"{module} must not include {other}: see core/LAYERS")
        elif '"' in line or target.split("/")[0] in ("host", "tests", "wasm"):
            yield Finding(path, number, f"core includes core only, from the root: {target}")
        elif target.startswith("sodium") and module != "crypto":
            yield Finding(path, number, "only core/crypto includes libsodium")
        elif target.startswith("mbedtls/") and module != "pin":
            yield Finding(path, number, "only core/pin includes mbedTLS")


def links_of(tree, path, module, layers):
    for number, line in tree.lines(path):
        words = line.split("DEPENDS")[1] if "DEPENDS" in line else ""
        for other in re.findall(r"\w+", words):
            if other in layers and layers[other] >= layers[module]:
                yield Finding(path, number, f"{module} must not link {other}: see core/LAYERS")


# What the core may ask of the machine: memory, strings, and the parts of the C++ library that do
# no more than that. Everything else (sockets, files, clocks, threads, entropy, stdio) is refused.
ALLOWED_SYMBOLS = re.compile("|".join((
    r"_Z(T[VIST]|GV)?N?K?6dotkey", r"_ZNK6dotkey",
    r"mem(cpy|move|set|cmp|chr)$", r"__mem\w+_chk$", r"strlen$", r"strcmp$", r"abort$",
    r"_Zn[wa]m", r"_Zd[la]Pv", r"_ZSt7nothrow$",
    r"_ZSt\d+__throw_", r"_ZNK?St7__cxx1112basic_string", r"_ZSt\d+_Rb_tree_",
    r"_ZSt11_Hash_bytes", r"_ZSt(8to_chars|10from_chars)", r"_ZNK?St8__detail",
    r"(pow|exp|log|log2|sqrt|floor|ceil|round)$", r"_ZNK?St9exception",
    r"__cxa_pure_virtual$", r"__stack_chk_fail$", r"_GLOBAL_OFFSET_TABLE_$")))
ALLOWED_IN = {
    "crypto": re.compile(r"(crypto|sodium)_(?!init$|malloc|.*(?<!seed_)keypair$|.*_keygen$)"),
    "pin": re.compile(r"mbedtls_(?!net_|timing_|threading_|platform_std|entropy_)"),
}


def undefined_symbols(archive):
    out = subprocess.run(["nm", "-A", "-P", archive], check=True, capture_output=True,
                         text=True).stdout
    used, defined = {}, set()
    for line in out.splitlines():
        where, _, rest = line.partition("]: ")
        fields = rest.split()
        if len(fields) < 2:
            continue
        if fields[1] in "Uwv":
            used.setdefault(fields[0], where.partition("[")[2])
        else:
            defined.add(fields[0])
    return {name: where for name, where in used.items() if name not in defined}


def judge_symbols(module, symbols):
    for name, where in sorted(symbols.items()):
        extra = ALLOWED_IN.get(module)
        if not ALLOWED_SYMBOLS.match(name) and not (extra and extra.match(name)):
            yield Finding(f"core/{module}", 0, f"{where} needs {name}: the core does no I/O; "
                          "inject it, or allow it in tests/lint/checks_code.py")


def check_symbols(tree):
    """The core's archives ask nothing of the operating system."""
    archives = sorted(tree.build.glob("core/*/*.a"))
    if not archives:
        yield Finding("core", 0, f"no archives below {tree.build}; run ./dev build")
    for archive in archives:
        yield from judge_symbols(archive.parent.name, undefined_symbols(archive))


# (pattern, where, what to use instead). Comments and strings are blanked before matching.
BANNED = [
    (r"\b(s?rand|random|drand48)\(", ("core/", "host/", "wasm/"), "engine::Entropy"),
    (r"\b(sprintf|vsprintf|strcpy|strcat|strncpy|gets|strtok)\(", ("",), "std::string, std::span"),
    (r"\b(atoi|atol|atoll|atof|strtol|strtoul|strtoull|sscanf)\(", ("",), "base::parse_decimal"),
    (r"\bstd::sto[iuld]+\b", ("",), "base::parse_decimal"),
    (r"\b(system|popen)\(", ("core/", "host/"), "posix_spawn with an argument vector"),
    (r"\bmemcmp\(", ("core/", "host/"), "operator== of spans; crypto::equal for secrets"),
    (r"\bmem(cpy|move)\(", ("core/wire/", "core/names/", "core/record/"), "std::copy on spans"),
    (r"\bstd::function\b", ("core/",), "a port (an abstract class) or a template"),
    (r"\bstd::(thread|jthread|mutex|shared_mutex|atomic|condition_variable|async)\b", ("core/",),
     "nothing: the core is single-threaded"),
    (r"\bstd::(chrono|random_device|mt19937\w*)\b", ("core/",), "engine::Instant, engine::Entropy"),
    (r"\bstd::(cout|cerr|clog|[io]?fstream|[io]?stringstream|printf|puts|getenv)\b", ("core/",),
     "a Result, an effect or a counter"),
    (r"\b(throw\b|try\s*\{|catch\s*\(|dynamic_cast|typeid)", ("core/",), "Result<T>"),
    (r"\bassert\(", ("core/", "host/", "wasm/"), "DOTKEY_ASSERT, which stays on in release"),
    (r"\bgoto\b", ("",), "a function"),
    (r"\busing namespace\b", ("core/", "host/"), "using-declarations of single names"),
    (r"\b(sleep|usleep|sleep_for|sleep_until)\(", ("core/", "host/", "tests/unit/", "tests/sim/"),
     "a deadline; tests use virtual time"),
    (r"\b(GTEST_SKIP|DISABLED_)", ("tests/",), "a test that runs"),
    (r"\(char const\*\)|\(int\)|\(unsigned\)|\(size_t\)", ("core/", "host/"), "a C++ cast"),
    (r"\bNULL\b", ("",), "nullptr"),
]
BANNED_WEB = [
    (r"\binnerHTML\b|\bouterHTML\b|insertAdjacentHTML|document\.write\(", "textContent"),
    (r"\beval\(|new Function\(", "a table of functions"),
    (r"\bvar ", "const or let"),
]


def blank_comments_and_strings(text):
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0]) if match[0][0] == "/" else '""'
    return re.sub(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"', blank, text,
                  flags=re.S)


def check_banned(tree):
    """Calls with a better replacement stay out."""
    rules = [(re.compile(pattern), below, instead) for pattern, below, instead in BANNED]
    for path in tree.cpp():
        code = blank_comments_and_strings(tree.text(path)).splitlines()
        for number, line in enumerate(code, 1):
            for pattern, below, instead in rules:
                match = path.startswith(below) and pattern.search(line)
                if match:
                    yield Finding(path, number, f"{match[0].strip()} is banned; use {instead}")
    web = [(re.compile(pattern), instead) for pattern, instead in BANNED_WEB]
    for path in tree.matching("extension-*.js", "wasm/*.mjs", "wasm/*.js"):
        for number, line in tree.lines(path):
            for pattern, instead in web:
                if pattern.search(line):
                    yield Finding(path, number, f"{pattern.pattern} is banned; use {instead}")
            # A quoted 'browser.…' is an error slug.
            if re.search(r"(?<!['\"\w])(chrome|browser)\.\w", line) and "/platform/" not in path:
                yield Finding(path, number, "browser APIs are called in platform/ only")


def check_format(tree):
    """All C++ is formatted by clang-format-19."""
    files = tree.cpp()
    chunks = [files[i::2 * workers()] for i in range(2 * workers())]
    command = ["clang-format-19", "--dry-run", "-Werror"]
    with concurrent.futures.ThreadPoolExecutor(workers()) as pool:
        runs = pool.map(lambda chunk: subprocess.run(
            [*command, *chunk], cwd=tree.root, capture_output=True, text=True) if chunk else None,
            chunks)
        for run in runs:
            for match in re.finditer(r"^([^:\n]+):(\d+):\d+: error:", run.stderr if run else "",
                                     re.M):
                yield Finding(match[1], int(match[2]), "not formatted; run ./dev format")


def workers():
    return os.cpu_count() or 2


def tidy_key(tree, path):
    """What the verdict on a file depends on: its text, that of all it includes, the rules."""
    digest = hashlib.sha256(tree.text(".clang-tidy").encode())
    seen, queue = {path}, [path]
    while queue:
        text = tree.text(queue.pop())
        digest.update(text.encode() + b"\0")
        for target in re.findall(r'^#include "([^"]+)"', text, re.M):
            if target in tree.files and target not in seen:
                seen.add(target)
                queue.append(target)
    return digest.hexdigest()[:32]


def check_clang_tidy(tree):
    """clang-tidy-19 finds nothing in core/; verdicts are kept by content."""
    stamps = tree.build / "clang-tidy"
    stamps.mkdir(exist_ok=True)
    wanted = {}
    for entry in json.loads((tree.build / "compile_commands.json").read_text()):
        path = os.path.relpath(entry["file"], tree.root)
        if path.startswith("core/") and path in tree.files:
            wanted[path] = tidy_key(tree, path)

    def run(path):
        stamp = stamps / wanted[path]
        if stamp.exists():
            return path, ""
        # The commands are g++'s, which has warnings that clang does not know.
        result = subprocess.run(
            ["clang-tidy-19", "--quiet", "--extra-arg=-Wno-unknown-warning-option",
             "-p", str(tree.build), path], cwd=tree.root, capture_output=True, text=True)
        if result.returncode == 0:
            stamp.touch()
            return path, ""
        return path, result.stdout + result.stderr
    with concurrent.futures.ThreadPoolExecutor(workers()) as pool:
        for path, output in pool.map(run, sorted(wanted)):
            if output:
                yield Finding(path, 0, "clang-tidy:\n" + output)


CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items())
          if name.startswith("check_")}
