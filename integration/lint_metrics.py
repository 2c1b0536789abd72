#!/usr/bin/env python3
"""Checks metrics on standard input as `promtool check metrics` would, and more strictly.

usage: lint_metrics.py [FILE...] <METRICS

Of each FILE, alert rules or a dashboard: every metric that its expressions name must be among them. Exit status: 0 fine, 1 not, with what is
wrong.
"""
import re
import sys

NAME = re.compile(r"^holdfast_[a-z][a-z0-9_]*$")
PAIR = r'[a-z_]+="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf'^([a-z_0-9]+)(?:\{{({PAIR}(?:,{PAIR})*)\}})? (\d+(?:\.\d+)?)$')


def lint(text):
    kinds, helps, seen, last = {}, {}, set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, words = line.split(" ", 3)
            if name in helps:
                yield f"{name}: HELP twice"
            if not words.strip():
                yield f"{name}: no help"
            helps[name] = words
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if kind not in ("counter", "gauge"):
                yield f"{name}: type {kind}"
            if (kind == "counter") != name.endswith("_total"):
                yield f"{name}: a {kind} of this name (counters, and they alone, end in _total)"
            if re.search(r"_(ms|milliseconds|minutes|kb|percent)(_|$)", name):
                yield f"{name}: not in base units"
            if name in kinds:
                yield f"{name}: TYPE twice"
            kinds[name] = kind
        else:
            sample = SAMPLE.match(line)
            if not sample:
                yield f"no sample: {line}"
                continue
            name, labels, _ = sample.groups()
            labels = tuple(sorted(re.findall(PAIR, labels or "")))
            keys = [label.split("=")[0] for label in labels]
            if len(keys) != len(set(keys)):
                yield f"{name}: a label twice"
            if not NAME.match(name):
                yield f"{name}: not a name of ours"
            if name not in kinds or name not in helps:
                yield f"{name}: no TYPE or HELP before it"
            if name != last and any(s[0] == name for s in seen):
                yield f"{name}: its samples do not stand together"
            if (name, labels) in seen:
                yield f"{name}{{{labels}}}: twice"
            seen.add((name, labels))
            last = name
    if not seen:
        yield "no metrics at all"
    if not text.endswith("\n"):
        yield "no newline at the end"


def names_of(rules):
    """The metrics that the file's expressions name."""
    for expression in re.findall(r"^\s*\"?(?:expr|query)\"?: (.*)$", rules, re.M):
        yield from re.findall(r"\bholdfast_[a-z0-9_]+", expression)


def main():
    text = sys.stdin.read()
    faults = list(lint(text))
    known = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    for path in sys.argv[1:]:
        with open(path) as file:
            rules = file.read()
        faults += [f"{path}: no metric {name}" for name in names_of(rules) if name not in known]
        if not list(names_of(rules)):
            faults.append(f"{path}: no expression")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
