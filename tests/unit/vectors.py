# SPDX-License-Identifier: GPL-2.0-only
"""Reads tests/vectors/dtls.txt."""

from typing import NamedTuple


class Vector(NamedTuple):
    name: str
    cid_length: int
    walk: str
    origin: str
    datagram: bytes


def load(path):
    with open(path, encoding="ascii") as file:
        lines = [text for text in map(str.strip, file)
                 if text and not text.startswith("#")]
    return [vector(*pair) for pair in zip(lines[::2], lines[1::2], strict=True)]


def vector(head, octets):
    name, cid_length, walk, origin = head.split(" | ")
    return Vector(name, int(cid_length), walk, origin, bytes.fromhex(octets))
