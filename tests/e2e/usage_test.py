#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the program says of itself, and to a command line that it cannot read."""

import re
import subprocess
import unittest

from home import DOTKEY, Home


class TheProgram(Home):
    def test_says_its_version_without_a_home(self):
        done = subprocess.run([DOTKEY, "--version"], env={}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^dotkey \d+\.\d+\.\d+\n$")

    def test_has_help_with_examples_for_every_command(self):
        commands = [""]
        for command in commands:  # it grows: each help names the commands below it
            text = self.ok(*command.split(), "--help")
            self.assertIn("Example", text, command)
            self.assertIn(f"dotkey {command}".strip(), text)
            listed = text.partition("Subcommands:\n")[2].partition("\n\n")[0]
            commands += [f"{command} {name}".strip()
                         for name in re.findall(r"^  (\S+)", listed, re.MULTILINE)]
        self.assertGreater(len(commands), 25, commands)

    def test_publish_says_that_it_replaces_all_records(self):
        self.assertIn("records that are not named here are gone", self.ok("publish", "--help"))

    def test_answers_wrong_usage_with_exit_code_2(self):
        for args in ([], ["frob"], ["key"], ["key", "new"], ["publish", "alice"], ["encode"],
                     ["resolve", "x", "--policy", "latest"], ["testnet", "--nodes", "0"],
                     ["key", "import", "a"], ["--no-such-option", "key", "list"]):
            done = self.run_dotkey(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertTrue(done.stderr.startswith("usage: "), done.stderr)

    def test_says_what_a_mistyped_word_may_mean_and_whose_help_to_read(self):
        for args, meant, help_of in (
                (["pubish", "alice"], "publish", "dotkey"),
                (["key", "nwe", "alice"], "new", "dotkey key"),
                (["publish", "alice", "--recrod", "@ 300 A ::1"], "--record", "dotkey publish"),
                (["resolve", "alice", "--jsno"], "--json", "dotkey resolve"),
                (["status", "--frobnicate"], None, "dotkey status"),
                (["frob"], None, "dotkey")):
            done = self.run_dotkey(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertEqual("did you mean" in done.stderr, meant is not None, done.stderr)
            self.assertIn(f"did you mean `{meant}`?" if meant else args[-1], done.stderr)
            self.assertIn(f"Run `{help_of} --help`.", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
