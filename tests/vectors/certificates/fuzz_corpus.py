#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes seeds for the fuzz targets certificate and pin_decide from the vectors beside it."""
import json
import pathlib
import re

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parent.parent / "fuzz/corpus"
CERTIFICATES = ("leaf_extra_san issued leaf_ed25519 ca_excluded_ips ca_path_0 ca_ed25519 "
                "leaf_generalized_time leaf_pss issued_any_eku").split()
# The fuzz target asks for www.example.com at the time of the vectors.
DECISIONS = ("an ICANN host that the packet led to", "two intermediates", "2 1 0 of another key",
             "one permitted name and one other", "3 1 0 matches", "a loop")


def encode(case, certificates):
    out = b""
    for record in case["records"]:
        *numbers, data = record.split(" ")
        data = bytes.fromhex(data)
        out += bytes([*map(int, numbers), len(data)]) + data
    out += b"\xff"
    for name in case["chain"]:
        out += len(certificates[name]).to_bytes(2, "big") + certificates[name]
    return out


def main():
    facts = json.loads((HERE / "facts.json").read_text())
    certificates = {c["name"]: bytes.fromhex(c["der"])
                    for c in facts["certificates"] + facts["malformed"]}
    for name in CERTIFICATES:
        (CORPUS / "certificate" / name).write_bytes(certificates[name])
    for case in json.loads((HERE / "decisions.json").read_text())["cases"]:
        if case["name"] in DECISIONS:
            path = CORPUS / "pin_decide" / re.sub(r"\W+", "_", case["name"]).lower()
            path.write_bytes(encode(case, certificates))


if __name__ == "__main__":
    main()
