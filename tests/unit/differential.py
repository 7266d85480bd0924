#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds the parser in C against dtls_oracle.py.  TAP.

differential.py FILTER VECTORS: every prefix and every change of a single byte
of every vector, under several formats, one test a vector.
"""

import subprocess
import sys

import vectors
from dtls_oracle import Format, line

# Where the node id is: (offset, bytes).
PLACES = ((0, 1), (1, 1), (0, 2), (1, 2))
# Changes of a byte are many: enough that each offset and each length is used.
PLACES_OF_CHANGES = ((0, 1), (1, 2))
SHOWN = 5


def formats(cid_length, places):
    """With the CID's length known, where the id fits, and unknown."""
    for offset, length in places:
        if offset + length <= cid_length:
            yield Format(offset, length, cid_length)
        yield Format(offset, length, 0)


def changes(datagram):
    scratch = bytearray(datagram)
    for at, old in enumerate(datagram):
        for new in range(256):
            if new != old:
                scratch[at] = new
                yield bytes(scratch)
        scratch[at] = old


def cases(vector):
    whole = vector.datagram
    for fmt in formats(vector.cid_length, PLACES):
        for size in range(len(whole) + 1):
            yield fmt, whole[:size]
    for fmt in formats(vector.cid_length, PLACES_OF_CHANGES):
        for changed in changes(whole):
            yield fmt, changed


def ask(program, pairs):
    """The lines of the parser in C."""
    frames = bytearray()
    for fmt, datagram in pairs:
        frames += bytes((*fmt, 0))
        frames += len(datagram).to_bytes(2, "big")
        frames += datagram
    done = subprocess.run([program], input=frames, capture_output=True, check=False)
    lines = done.stdout.decode("ascii").splitlines()
    if done.returncode or len(lines) != len(pairs):
        lines += [f"no answer, status {done.returncode}"]
    return lines, done.stderr.decode("utf-8", "replace")


def compare(program, vector):
    """How many cases there are, and what is to be said of those that fail."""
    pairs = list(cases(vector))
    lines, complaint = ask(program, pairs)
    said, failed = [], 0
    for (fmt, datagram), got in zip(pairs, lines):
        want = line(datagram, fmt)
        if got != want:
            failed += 1
            if failed <= SHOWN:
                said += [f"{fmt}", f"  {datagram.hex()}", f"  want {want}",
                         f"  got  {got}"]
    if len(lines) < len(pairs):
        failed += len(pairs) - len(lines)
    if failed:
        said.append(f"{failed} of {len(pairs)} cases differ")
    return len(pairs), said + complaint.splitlines()


def main(program, path):
    total, good = 0, True
    tests = vectors.load(path)
    for i, vector in enumerate(tests, 1):
        count, said = compare(program, vector)
        total += count
        good = good and not said
        print(f"{'not ok' if said else 'ok'} {i} - differential: {vector.name},"
              f" {count} cases")
        for text in said:
            print(f"#  {text}")
        sys.stdout.flush()
    print(f"# {total} cases")
    print(f"1..{len(tests)}")
    return 0 if good and tests else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
