# SPDX-License-Identifier: GPL-2.0-only
"""Holds a parser in C against one in Python.  TAP.

Every prefix and every change of a single byte of every vector, under several
formats, one test a vector: differential_dtls.py, differential_lbsp.py.
"""

import subprocess
import sys
from typing import Callable, NamedTuple

import vectors

SHOWN = 5


class Parser(NamedTuple):
    """How to ask both.

    line(octets, format): the line of the one in Python
    pack(format): the format as C has it
    formats(vector), formats_of_changes(vector): under which its prefixes are
        read, and what comes of changing a byte, of which there are many
    """

    line: Callable
    pack: Callable
    formats: Callable
    formats_of_changes: Callable


def changes(octets):
    scratch = bytearray(octets)
    for at, old in enumerate(octets):
        for new in range(256):
            if new != old:
                scratch[at] = new
                yield bytes(scratch)
        scratch[at] = old


def cases(parser, vector):
    whole = vector.octets
    for fmt in parser.formats(vector):
        for size in range(len(whole) + 1):
            yield fmt, whole[:size]
    for fmt in parser.formats_of_changes(vector):
        for changed in changes(whole):
            yield fmt, changed


def ask(parser, program, pairs):
    """The lines of the parser in C."""
    frames = bytearray()
    for fmt, octets in pairs:
        frames += parser.pack(fmt)
        frames += len(octets).to_bytes(2, "big")
        frames += octets
    done = subprocess.run([program], input=frames, capture_output=True, check=False)
    lines = done.stdout.decode("ascii").splitlines()
    if done.returncode or len(lines) != len(pairs):
        lines += [f"no answer, status {done.returncode}"]
    return lines, done.stderr.decode("utf-8", "replace")


def compare(parser, program, vector):
    """How many cases there are, and what is to be said of those that fail."""
    pairs = list(cases(parser, vector))
    lines, complaint = ask(parser, program, pairs)
    said, failed = [], 0
    for (fmt, octets), got in zip(pairs, lines):
        want = parser.line(octets, fmt)
        if got != want:
            failed += 1
            if failed <= SHOWN:
                said += [f"{fmt}", f"  {octets.hex()}", f"  want {want}",
                         f"  got  {got}"]
    if len(lines) < len(pairs):
        failed += len(pairs) - len(lines)
    if failed:
        said.append(f"{failed} of {len(pairs)} cases differ")
    return len(pairs), said + complaint.splitlines()


def main(parser, program, path):
    total, good = 0, True
    tests = vectors.load(path)
    for i, vector in enumerate(tests, 1):
        count, said = compare(parser, program, vector)
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
