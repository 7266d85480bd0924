#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds the DTLS parser in C against dtls_oracle.py: FILTER VECTORS."""

import sys

import differential
from dtls_oracle import Format, line

# Where the node id is: (offset, bytes).
PLACES = ((0, 1), (1, 1), (0, 2), (1, 2))
# Enough that each offset and each length is used.
PLACES_OF_CHANGES = ((0, 1), (1, 2))


def formats(vector, places):
    """With the CID's length known, where the id fits, and unknown."""
    cid_length = int(vector.format)
    for offset, length in places:
        if offset + length <= cid_length:
            yield Format(offset, length, cid_length)
        yield Format(offset, length, 0)


PARSER = differential.Parser(
    line=line,
    pack=lambda fmt: bytes((*fmt, 0)),
    formats=lambda vector: formats(vector, PLACES),
    formats_of_changes=lambda vector: formats(vector, PLACES_OF_CHANGES))

if __name__ == "__main__":
    sys.exit(differential.main(PARSER, *sys.argv[1:]))
