# SPDX-License-Identifier: GPL-2.0-only
"""A second reading of the DTLS RFCs, to hold the parser in C against.

Written from the figures of RFC 6347 section 4.1, RFC 9146 section 4 and RFC
9147 section 4, not from the C.  A record's header is a table of fields; the
rules are applied to the fields by name.

line(datagram, fmt) gives the line that tests/unit/walk.h describes.
"""

from functools import lru_cache
from typing import NamedTuple

KINDS = ("cid", "client-hello", "handshake", "encrypted", "alert", "ack", "other",
         "malformed", "mixed", "not-dtls")
PLAINTEXT = {20: "other", 21: "alert", 22: "handshake", 23: "other", 24: "other",
             26: "ack", 27: "other"}
TLS12_CID = 25
VERSIONS = {TLS12_CID: (b"\xfe\xfd",)}
ANY_VERSION = (b"\xfe\xfd", b"\xfe\xfe", b"\xfe\xff")


class Format(NamedTuple):
    """struct nf_dtlscid_format: cid_length 0 is unknown."""

    id_offset: int
    id_length: int
    cid_length: int


class Fault(Exception):
    """What is wrong with a record, and the text that stands for the record."""

    def __init__(self, error, text):
        super().__init__(error)
        self.error = error
        self.text = text


class Header:
    """The fields of a header that begins with a given byte."""

    def __init__(self, first, fmt):
        self.unified = first >= 32
        self.name = "1.3" if self.unified else f"t{first}"
        self.versions = VERSIONS.get(first, ANY_VERSION)
        self.plain_kind = PLAINTEXT.get(first)
        self.handshake = first == 22
        self.field = {}
        self.size = 0
        self.open_ended = False
        for name, size in self.fields(first, fmt):
            self.field[name] = slice(self.size, self.size + size)
            self.size += size
        self.cid = self.field.get("cid")
        self.length = self.field.get("length")
        if self.unified:
            self.epoch_text = f"1.3 E{first & 3}"
        if self.cid:
            start = self.cid.start + fmt.id_offset
            self.node = slice(start, start + fmt.id_length)

    def fields(self, first, fmt):
        """(name, bytes) in wire order, as far as they can be told apart."""
        if self.unified:
            yield "flags", 1
            has_cid = first & 0b10000
        else:
            yield from (("type", 1), ("version", 2), ("epoch", 2), ("sequence", 6))
            has_cid = first == TLS12_CID
        if has_cid and not fmt.cid_length:
            self.open_ended = True
            yield "cid", fmt.id_offset + fmt.id_length
            return
        if has_cid:
            yield "cid", fmt.cid_length
        if self.unified:
            yield "sequence", 2 if first & 0b1000 else 1
        if not self.unified or first & 0b100:
            yield "length", 2


@lru_cache(maxsize=None)
def headers(fmt):
    """The header for every first byte that starts a record."""
    return {first: Header(first, fmt)
            for first in (*range(20, 28), *range(32, 64))}


def number(octets):
    return int.from_bytes(octets, "big")


def read(rest, head):
    """The record that rest begins with: its text, kind and size."""
    if len(rest) < head.size:
        raise Fault("truncated", head.name + ":trunc")
    epoch = None
    if not head.unified:
        if rest[head.field["version"]] not in head.versions:
            raise Fault("version", head.name + ":version")
        epoch = number(rest[head.field["epoch"]])
    there = len(rest) - head.size
    if head.open_ended:
        length = there
        shown = "?"
    else:
        shown = length = number(rest[head.length]) if head.length else there
    text = describe(rest, head, epoch, shown)
    if head.cid and epoch == 0:
        raise Fault("epoch0-cid", text)
    if length > there:
        raise Fault("overrun", text + "; OVERRUN")
    if head.unified and not head.open_ended and length < 16:
        raise Fault("short", text + "; SHORT")
    body = rest[head.size:head.size + length]
    return text, kind(head, epoch, body), head.size + length


def describe(rest, head, epoch, length):
    cid = rest[head.cid].hex() if head.cid else "-"
    if head.open_ended:
        cid += ".."
    start = head.epoch_text if head.unified else f"{head.name} ep{epoch}"
    return f"{start} cid={cid} len={length}"


def kind(head, epoch, body):
    if head.cid:
        return "cid"
    if head.unified or epoch:
        return "encrypted"
    if head.handshake and body.startswith(b"\x01"):
        return "client-hello"
    return head.plain_kind


def verdict(kinds, nodes):
    """The kinds of a whole datagram without a fault, in the order of KINDS."""
    if len(set(nodes)) > 1:
        return "mixed"
    if len(kinds) == 1:
        return kinds.pop()
    return ",".join(sorted(kinds, key=KINDS.index))


def line(datagram, fmt):
    known = headers(fmt)
    if not datagram or datagram[0] not in known:
        return "not-dtls | not-dtls | ok | -"
    at, texts, kinds, nodes, first_cid = 0, [], set(), [], "-"
    try:
        while at < len(datagram):
            if len(texts) == 128:
                raise Fault("crowded", "CROWDED")
            rest = datagram[at:]
            head = known.get(rest[0])
            if not head:
                raise Fault("junk", "JUNK")
            text, what, size = read(rest, head)
            texts.append(text)
            kinds.add(what)
            if head.cid:
                nodes.append(number(rest[head.node]))
            if len(nodes) == 1 and head.cid:
                start = at + head.cid.start
                length = fmt.cid_length or min(255, len(datagram) - start)
                version = 3 if head.unified else 2
                first_cid = f"{version} {nodes[0]} {start} {length}"
            at += size
    except Fault as fault:
        texts.append(fault.text)
        return f"{'; '.join(texts)} | malformed | {fault.error} | -"
    return f"{'; '.join(texts)} | {verdict(kinds, nodes)} | ok | {first_cid}"
