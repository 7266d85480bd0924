#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A strict reader of the text format that Prometheus scrapes.

usage: metrics.py < TEXT     a line for each sample, "NAME LABEL=VALUE... = NUMBER"

Ends with status 1, and the reason, at the first thing that is not as it should be: an
unknown line, a metric in two places, a sample without or ahead of its TYPE and HELP, a
counter that is not called _total, a bad name, label or value, a sample given twice, no
line feed at the end.
"""
import re
import sys

METRIC = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
SAMPLE = re.compile(rf"({METRIC})(?:\{{(.*)\}})? (\S+)")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?Inf|NaN")
COMMENT = re.compile(rf"# (HELP|TYPE) ({METRIC}) (.+)")
TYPES = {"counter", "gauge", "untyped"}


def labels_of(text):
    """The labels between braces, as a dictionary."""
    labels, at = {}, 0
    while at < len(text):
        m = LABEL.match(text, at)
        if not m:
            raise ValueError(f"bad labels: {text}")
        if m[1] in labels:
            raise ValueError(f"label given twice: {m[1]}")
        labels[m[1]] = re.sub(r"\\(.)", lambda e: {"n": "\n"}.get(e[1], e[1]), m[2])
        at = m.end()
        if at < len(text):
            if text[at] != ",":
                raise ValueError(f"bad labels: {text}")
            at += 1
    return labels


class Reader:
    def __init__(self):
        self.comments = {}      # of each metric: HELP and TYPE
        self.current = None
        self.samples = {}

    def comment(self, line):
        m = COMMENT.fullmatch(line)
        if not m:
            raise ValueError(f"bad comment: {line}")
        kind, name, text = m.groups()
        if name != self.current and name in self.comments:
            raise ValueError(f"metric in two places: {name}")
        self.current = name
        seen = self.comments.setdefault(name, {})
        if kind in seen:
            raise ValueError(f"{kind} given twice: {name}")
        if any(key[0] == name for key in self.samples):
            raise ValueError(f"{kind} behind a sample: {name}")
        if kind == "TYPE" and text not in TYPES:
            raise ValueError(f"bad type: {text}")
        seen[kind] = text

    def sample(self, line):
        m = SAMPLE.fullmatch(line)
        if not m:
            raise ValueError(f"bad line: {line}")
        name, labels, number = m.groups()
        if name != self.current or set(self.comments[name]) != {"HELP", "TYPE"}:
            raise ValueError(f"no HELP and TYPE ahead of: {line}")
        if not NUMBER.fullmatch(number):
            raise ValueError(f"bad value: {line}")
        if (self.comments[name]["TYPE"] == "counter") != name.endswith("_total"):
            raise ValueError(f"a counter is called _total, and nothing else: {name}")
        key = (name, tuple(sorted(labels_of(labels or "").items())))
        if key in self.samples:
            raise ValueError(f"sample given twice: {line}")
        self.samples[key] = number

    def read(self, text):
        if text and not text.endswith("\n"):
            raise ValueError("no line feed at the end")
        for line in text.split("\n")[:-1]:
            if line.startswith("#"):
                self.comment(line)
            else:
                self.sample(line)
        for name in self.comments:
            if not any(key[0] == name for key in self.samples):
                raise ValueError(f"no sample of {name}")


def main():
    reader = Reader()
    try:
        reader.read(sys.stdin.read())
    except ValueError as why:
        print(f"metrics: {why}")
        sys.exit(1)
    for (name, labels), number in reader.samples.items():
        print(name, *(f"{key}={value}" for key, value in labels), "=", number)


main()
