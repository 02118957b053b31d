# SPDX-License-Identifier: Apache-2.0
"""What programs under test have to be told of the sanitizers that they may be built with."""
import os


def sanitizer_options():
    """The settings of this process's own environment, for an environment made anew."""
    return {name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")
            if name in os.environ}


def without_quarantine(env):
    """AddressSanitizer holds up to 256 MB of freed memory back: where it is measured, 1 MB."""
    return env | {"ASAN_OPTIONS": ":".join(filter(None, (env.get("ASAN_OPTIONS"),
                                                         "quarantine_size_mb=1")))}


def is_built_with_address_sanitizer(program):
    with open(program, "rb") as file:
        return b"__asan_init" in file.read()
