#!/usr/bin/env python3
"""The manual page, from what the program says of itself: tools/make-man.py ORRERY OUT.  The build runs it."""
import pathlib
import re
import subprocess
import sys

orrery, out = sys.argv[1:]


def says(*words):
    return subprocess.run([orrery, *words], check=True, capture_output=True, text=True).stdout


def verbatim(text):
    lines = []
    for line in text.rstrip("\n").split("\n"):
        line = line.replace("\\", "\\e").replace("-", "\\-")
        lines.append("\\&" + line if line[:1] in ".'" else line)
    return "\n".join([".nf", *lines, ".fi"])


overview = says("help")
commands = re.findall(r"^  ([a-z]+) {2,}\S", overview.split("\n\n", 2)[2], re.MULTILINE)
commands = [c for c in dict.fromkeys(commands) if c != "orrery"]
version = says("version").split()[1].rstrip(",")
page = [f'.TH ORRERY 1 "" "orrery {version}" "User Commands"', ".SH NAME",
        "orrery \\- predicts what a network will do while it learns, and judges the prediction", ".SH SYNOPSIS", ".B orrery",
        ".I COMMAND", "[options]", ".SH DESCRIPTION", verbatim(overview)]
for command in commands:
    if command in ("help", "version"):
        continue
    page += [f'.SH "ORRERY {command.upper()}"', verbatim(says(command, "--help"))]
page += [".SH EXPERIMENT FILES", verbatim(says("help", "experiment")), ".SH ENVIRONMENT", ".TP", ".B ORRERY_STORE",
         "The store, where no \\-\\-store names one.", ".TP", ".B ORRERY_DATA", "A folder with datasets.", ".TP", ".B NO_COLOR",
         "Set to anything: no colours on a terminal."]
pathlib.Path(out).write_text("\n".join(page) + "\n")
