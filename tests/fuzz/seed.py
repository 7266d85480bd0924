#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes the fuzzer's first inputs: seed.py VECTORS DIRECTORY

Each vector with its CID's length and without, the node id in its first byte
and, where they fit, in bytes 1 and 2.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))

import vectors  # noqa: E402


def choice(id_offset, id_length, cid_length):
    """The 3 bytes from which fuzz_dtls.c makes this format."""
    id_end = id_offset + id_length
    spare = (cid_length - id_end) or 256 - id_end
    return bytes((id_length - 1, id_offset, spare if cid_length else 0))


def main(path, directory):
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    for vector in vectors.load(path):
        for place in ((0, 1), (1, 2)):
            for cid_length in (0, vector.cid_length):
                if cid_length and sum(place) > cid_length:
                    continue
                name = f"{vector.name}-{place[0]}-{place[1]}-{cid_length}"
                (target / name).write_bytes(choice(*place, cid_length) + vector.datagram)


if __name__ == "__main__":
    main(*sys.argv[1:])
