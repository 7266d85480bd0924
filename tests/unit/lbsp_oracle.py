# SPDX-License-Identifier: GPL-2.0-only
"""A second reading of RFC 8200 and LBSP, to hold the parser in C against.

Written from RFC 8200 sections 3 and 4, RFC 4302 section 2 and the comments of
nf_lbsp.h and core/lbsp.h, not from the C.  The packet is cut into headers, a
Destination Options header into options; each is then judged by itself.

line(packet, fmt) gives the line that tests/unit/walk.h describes.
"""

from typing import NamedTuple

RFC, DRAFT = 1, 2
ENCODINGS = {"rfc": RFC, "draft": DRAFT}

IPV6_SIZE = 40
HEADERS_MAX = 8
OPTIONS_MAX = 64

NAMES = {0: "hop", 43: "routing", 44: "fragment", 51: "ah", 60: "options"}
FRAGMENT, ESP, AH, OPTIONS, ROUTING = 44, 50, 51, 60, 43
FLAGS = ("sealed", "routed", "fragment")

# Both segments.
LBSP_DATA = 32


class Format(NamedTuple):
    """struct nf_lbsp_format"""

    encodings: int
    type: int


def read_format(text):
    """As a vector has it: "rfc,draft 1e"."""
    encodings, option_type = text.split()
    return Format(sum(ENCODINGS[name] for name in encodings.split(",")),
                  int(option_type, 16))


class Fault(Exception):
    """What is wrong with a header."""

    separator = "; "


class OptionFault(Fault):
    """What is wrong with an option."""

    separator = ", "


class Option(NamedTuple):
    text: str
    size: int
    encoding: str = ""


class Reading:
    """What is known of a packet, as far as it has been read."""

    def __init__(self):
        self.text = ""
        self.at = 0
        self.next = 0
        self.flags = set()
        self.first = None
        self.options_left = OPTIONS_MAX

    def add(self, text, separator="; "):
        self.text += separator + text if self.text else text


def segment(octets):
    return octets.hex() if any(octets) else "-"


def lbsp(encoding, data):
    return Option(f"{encoding} {segment(data[:16])} {segment(data[16:])}",
                  2 + len(data), encoding)


def is_draft(area):
    """Type 1, length 4 in units of 8 bytes, and no PadN: its data begins with
    other than 0.
    """
    return area[:2] == b"\1\4" and len(area) >= 2 + LBSP_DATA and any(area[2:6])


def read_option(area, fmt):
    """That with which the rest of a header's option area begins."""
    if not area[0]:
        return Option("pad1", 1)
    if len(area) == 1:
        raise OptionFault("overrun")
    if fmt.encodings & DRAFT and is_draft(area):
        return lbsp("draft", area[2:2 + LBSP_DATA])
    option_type, length = area[:2]
    data = area[2:2 + length]
    if len(data) < length:
        raise OptionFault("overrun")
    if fmt.encodings & RFC and option_type == fmt.type:
        if length != LBSP_DATA:
            raise OptionFault("length")
        return lbsp("rfc", data)
    if option_type == 1:
        if any(data):
            raise OptionFault("padding")
        return Option(f"padn {2 + length}", 2 + length)
    return Option(f"type{option_type:02x} {2 + length}", 2 + length)


def read_options(area, fmt, reading):
    """All of the area; reading.at stays behind at a fault."""
    while area:
        if not reading.options_left:
            raise OptionFault("crowded")
        reading.options_left -= 1
        option = read_option(area, fmt)
        reading.add(option.text, ", ")
        if option.encoding and not reading.first:
            reading.first = f"{reading.at} {option.encoding}"
        reading.at += option.size
        area = area[option.size:]


def header_size(kind, rest):
    """RFC 8200: the length is in units of 8 bytes, without the first 8; AH differs."""
    if len(rest) < 8:
        raise Fault("truncated")
    if kind == FRAGMENT:
        return 8
    return 4 * (rest[1] + 2) if kind == AH else 8 + 8 * rest[1]


def read_fragment(header, reading):
    """Whether something of the chain follows."""
    word = int.from_bytes(header[2:4], "big")
    offset, more = 8 * (word >> 3), word % 2
    reading.add(f"fragment at {offset}" + " more" * more)
    if offset or more:
        reading.flags.add("fragment")
    return offset == 0


def read_header(kind, header, fmt, reading):
    """Whether what it names as next follows."""
    if kind == FRAGMENT:
        if not read_fragment(header, reading):
            return False
    elif kind == ROUTING:
        reading.add(f"routing {len(header)} left {header[3]}")
        if header[3]:
            reading.flags.add("routed")
    else:
        reading.add(f"{NAMES[kind]} {len(header)}")
    if kind == AH:
        reading.flags.add("sealed")
    reading.next = header[0]
    if kind == OPTIONS:
        reading.at += 2
        read_options(header[2:], fmt, reading)
    else:
        reading.at += len(header)
    return True


def read_packet(packet, fmt, reading):
    if len(packet) < IPV6_SIZE:
        raise Fault("truncated")
    reading.at = IPV6_SIZE
    reading.next = packet[6]
    headers = 0
    while reading.next in NAMES:
        if headers == HEADERS_MAX:
            raise Fault("crowded")
        headers += 1
        rest = packet[reading.at:]
        size = header_size(reading.next, rest)
        if size > len(rest):
            raise Fault("truncated")
        if not read_header(reading.next, rest[:size], fmt, reading):
            return
    reading.add(str(reading.next))
    if reading.next == ESP:
        reading.flags.add("sealed")


def line(packet, fmt):
    reading = Reading()
    error = "ok"
    try:
        read_packet(packet, fmt, reading)
    except Fault as fault:
        error = str(fault)
        reading.add(error.upper(), fault.separator)
    flags = ",".join(flag for flag in FLAGS if flag in reading.flags) or "-"
    option = reading.first if reading.first and error == "ok" else "-"
    return f"{reading.text} | {error} {reading.at} {reading.next} | {flags} | {option}"
