#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds the LBSP parser in C against lbsp_oracle.py: FILTER VECTORS."""

import sys

import differential
from lbsp_oracle import DRAFT, RFC, Format, line, read_format

# Neither that of a vector nor near it.
ANOTHER_TYPE = 0x3f


def formats_of_changes(vector):
    """Each encoding, and both."""
    option_type = read_format(vector.format).type
    for encodings in (RFC, DRAFT, RFC | DRAFT):
        yield Format(encodings, option_type)


def formats(vector):
    yield from formats_of_changes(vector)
    yield Format(RFC | DRAFT, ANOTHER_TYPE)


PARSER = differential.Parser(line, bytes, formats, formats_of_changes)

if __name__ == "__main__":
    sys.exit(differential.main(PARSER, *sys.argv[1:]))
