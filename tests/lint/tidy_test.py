#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every check must complain about what it forbids, and keep quiet about its neighbour."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks_code  # noqa: E402
import checks_text  # noqa: E402
import tidy  # noqa: E402

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
LAYERS = "base\ncrypto\nnames record\n"
ERRORS = '  X(key_bad, "key.bad", "It is bad; mend it.") \\\n'

# check: (files that are refused, files that pass)
CASES = {
    "columns": ({"a.cpp": "x" * 101}, {"a.cpp": "ü" * 100}),
    "files": ({"core/a.cpp": "\n" * 501}, {"core/a.cpp": "\n" * 500, "tests/a.cpp": "\n" * 800}),
    "functions": ({"a.cpp": "int f() {\n" + "  ;\n" * 69 + "}\n"},
                  {"a.cpp": "int f() {\n" + "  ;\n" * 68 + "}\n"}),
    "spdx": ({"a.cpp": "int x;\n"}, {"a.h": SPDX + "#pragma once\n", "b.cpp": SPDX}),
    "unfinished": ({"a.cpp": "// TO" "DO: later\n"}, {"a.cpp": "// to do this, see that\n"}),
    "names": ({"core/base/string_util.h": ""}, {"core/base/utility_token.h": ""}),
    "orphans": ({"core/base/a.cpp": "", "core/base/CMakeLists.txt": "b.cpp"},
                {"core/base/a.cpp": "", "core/base/CMakeLists.txt": "a.cpp",
                 "tests/fuzz/fuzz_x.cpp": "", "tests/fuzz/CMakeLists.txt": "f(x DEPENDS y)"}),
    "blobs": ({"a.bin": "x" * 300_000}, {"a.bin": "x"}),
    "links": ({"a.md": "[b](b.md)"}, {"a.md": "[b](d/b.md#the-end)", "d/b.md": "# The end\n"}),
    "locales": ({"extension-common/a.js": "translate('b_c');\n",
                 "extension-common/_locales/en/messages.json":
                 '{"a_b": {"message": "A", "description": "d"}}'},
                {"extension-common/a.js": "translate(`area_${x}`);\n",
                 "extension-common/_locales/en/messages.json":
                 '{"area_b": {"message": "A $1", "description": "d"}}',
                 "extension-common/_locales/de/messages.json":
                 '{"area_b": {"message": "Ä $1"}}'}),
    "vectors": ({"tests/vectors/a.json": "{,}", "tests/a_test.cpp": '"a.json"'},
                {"tests/vectors/a.json": "{}", "tests/a_test.cpp": '"a.json"'}),
    "slugs": ({"core/base/error.h": ERRORS},
              {"core/base/error.h": ERRORS, "docs/protocol/errors.md":
               checks_text.ERROR_HEADER + "| `key.bad` | It is bad; mend it. |\n"}),
    "dead_errors": ({"core/base/error.h": ERRORS},
                    {"core/base/error.h": ERRORS, "core/base/a.cpp": "ErrorCode::key_bad"}),
    "layers": ({"core/LAYERS": LAYERS, "core/base/a.h": '#include "core/crypto/b.h"\n'},
               {"core/LAYERS": LAYERS, "core/crypto/a.h": '#include "core/base/b.h"\n'}),
    "banned": ({"core/base/a.cpp": "int n = rand();\n"},
               {"core/base/a.cpp": '// rand()\nchar const* s = "rand()";\n'}),
    "format": ({"a.cpp": "int  x;\n", ".clang-format": "BasedOnStyle: Google"},
               {"a.cpp": "int x;\n", ".clang-format": "BasedOnStyle: Google"}),
    "clang_tidy": ({"core/base/a.cpp": "int BadName() { return 1; }\n"},
                   {"core/base/a.cpp": "int good_name() { return 1; }\n"}),
}


class ChecksTest(unittest.TestCase):
    def findings(self, check, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            if check == "clang_tidy":
                files = dict(files) | {".clang-tidy": (tidy.HERE / "../../.clang-tidy").read_text()}
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            build = root / "build"
            build.mkdir()
            (build / "compile_commands.json").write_text(json.dumps(
                [{"directory": folder, "file": str(root / f), "command": f"c++ -c {root / f}"}
                 for f in files if f.endswith(".cpp")]))
            checks = {**checks_text.CHECKS, **checks_code.CHECKS}
            return list(checks[check](tidy.Tree(root, build, sorted(files))))

    def test_every_check_has_a_case(self):
        known = set(checks_text.CHECKS) | set(checks_code.CHECKS)
        self.assertEqual(known - {"symbols"}, set(CASES))

    def test_what_is_forbidden_is_found(self):
        for check, (bad, _) in CASES.items():
            with self.subTest(check):
                self.assertTrue(self.findings(check, bad))

    def test_what_is_allowed_passes(self):
        for check, (_, good) in CASES.items():
            with self.subTest(check):
                self.assertEqual(self.findings(check, good), [])

    def test_layers_hold_for_links_neighbours_and_foreign_libraries(self):
        for path, text in {
                "core/base/CMakeLists.txt": "dotkey_core_module(base SOURCES a.cpp DEPENDS crypto)",
                "core/names/a.h": '#include "core/record/b.h"',
                "core/names/b.h": "#include <sodium.h>",
                "core/names/c.h": '#include "host/udp.h"',
                "core/surprise/a.h": ""}.items():
            with self.subTest(path):
                self.assertTrue(self.findings("layers", {"core/LAYERS": LAYERS, path: text}))

    def test_symbols_of_the_operating_system_are_refused(self):
        def judged(module, name):
            return list(checks_code.judge_symbols(module, {name: "a.o"}))
        for name in ("socket", "open", "fopen", "clock_gettime", "time", "pthread_create", "printf",
                     "getrandom", "getenv", "randombytes_buf", "_ZSt4cout", "__cxa_throw",
                     "_ZNSt6chrono3_V212steady_clock3nowEv", "_ZNSt13random_device9_M_getvalEv",
                     "crypto_hash_sha256_init"):
            self.assertTrue(judged("wire", name), name)
        for name in ("randombytes_buf", "crypto_sign_keypair", "sodium_init"):
            self.assertTrue(judged("crypto", name), name)
        for name in ("memcpy", "abort", "_Znwm", "_ZN6dotkey4base10parse_hexE",
                     "_ZSt20__throw_length_errorPKc"):
            self.assertEqual(judged("wire", name), [], name)
        self.assertEqual(judged("crypto", "crypto_sign_seed_keypair"), [])

    def test_undefined_symbols_are_read_from_an_archive(self):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "a.cpp")
            source.write_text("#include <ctime>\nlong f() { return std::time(nullptr); }\n")
            subprocess.run(["g++", "-c", source, "-o", f"{folder}/a.o"], check=True)
            subprocess.run(["ar", "rc", f"{folder}/liba.a", f"{folder}/a.o"], check=True)
            self.assertIn("time", checks_code.undefined_symbols(f"{folder}/liba.a"))

    def test_an_excuse_that_is_no_longer_needed_is_found(self):
        excuses = tidy.read_exceptions("# comment\n\ncolumns a.cpp a table\n")
        finding = tidy.Finding("a.cpp", 1, "long")
        self.assertEqual(tidy.apply_exceptions("columns", [finding], excuses), [])
        self.assertTrue(tidy.apply_exceptions("columns", [], excuses))
        self.assertEqual(tidy.apply_exceptions("files", [], excuses), [])


if __name__ == "__main__":
    unittest.main()
