# SPDX-License-Identifier: GPL-2.0-only
"""Reads the files of tests/vectors/."""

from typing import NamedTuple


class Vector(NamedTuple):
    name: str
    format: str
    walk: str
    origin: str
    octets: bytes


def load(path):
    with open(path, encoding="ascii") as file:
        lines = [text for text in map(str.strip, file)
                 if text and not text.startswith("#")]
    return [Vector(*head.split(" | "), bytes.fromhex(octets))
            for head, octets in zip(lines[::2], lines[1::2], strict=True)]
