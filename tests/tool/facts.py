#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The facts of names, of their files in /proc or of dtlscid's JSON, as equal lines.

usage: facts.py FILE...        of files in /proc
       facts.py < JSON         of what dtlscid status --json printed
"""
import json
import sys


def typed(key, text):
    """A value of a file as JSON has it."""
    if text == "-":
        return None
    if key == "timeout":
        return [int(part) for part in text.split(",")]
    if text.isdigit() and key != "name":
        return int(text)
    return text


def of_file(path):
    """What a file says, in the shape of the JSON."""
    facts = {"nodes": []}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            title = [w for w in words if "=" not in w]
            pairs = dict(w.split("=", 1) for w in words if "=" in w)
            pairs = {key: typed(key, value) for key, value in pairs.items()}
            if "node" in pairs:
                facts["nodes"].append(pairs)
            elif title:
                facts[title[0]] = pairs
            elif "datagrams" in pairs:
                facts["datagrams"] = pairs.pop("datagrams")
                facts["reasons"] = pairs
            else:
                facts.update(pairs)
    return facts


def once(pairs):
    """An object whose keys differ."""
    assert len(dict(pairs)) == len(pairs), f"a key twice: {pairs}"
    return dict(pairs)


if len(sys.argv) > 1:
    names = [of_file(path) for path in sys.argv[1:]]
else:
    names = json.load(sys.stdin, object_pairs_hook=once)
for name in sorted(names, key=lambda n: n["name"]):
    print(json.dumps(name, sort_keys=True, indent=1))
