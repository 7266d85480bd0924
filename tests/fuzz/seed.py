#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes a fuzzer's first inputs: seed.py PARSER VECTORS DIRECTORY

dtls: each vector with its CID's length and without, the node id in its first
byte and, where they fit, in bytes 1 and 2.  lbsp: each with either encoding
and with both.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))

import lbsp_oracle  # noqa: E402
import vectors  # noqa: E402


def dtls_choice(id_offset, id_length, cid_length):
    """The 3 bytes from which fuzz_dtls.c makes this format."""
    id_end = id_offset + id_length
    spare = (cid_length - id_end) or 256 - id_end
    return bytes((id_length - 1, id_offset, spare if cid_length else 0))


def dtls_choices(text):
    for offset, length in ((0, 1), (1, 2)):
        for cid_length in (0, int(text)):
            if not cid_length or offset + length <= cid_length:
                yield (f"{offset}-{length}-{cid_length}",
                       dtls_choice(offset, length, cid_length))


def lbsp_choices(text):
    """The 2 bytes from which fuzz_lbsp.c makes a format."""
    option_type = lbsp_oracle.read_format(text).type
    for encodings in (1, 2, 3):
        yield str(encodings), bytes((encodings - 1, option_type - 2))


CHOICES = {"dtls": dtls_choices, "lbsp": lbsp_choices}


def main(parser, path, directory):
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    for vector in vectors.load(path):
        for name, choice in CHOICES[parser](vector.format):
            (target / f"{vector.name}-{name}").write_bytes(choice + vector.octets)


if __name__ == "__main__":
    main(*sys.argv[1:])
