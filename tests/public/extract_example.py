"""Writes the program that stands in the comment of include/orrery.h as a C file: extract_example.py HEADER OUT.c"""
import sys

lines = open(sys.argv[1], encoding="utf-8").read().split("*/")[0].splitlines()
start = next(i for i, line in enumerate(lines) if line.startswith(" * A whole program")) + 2
end = next(i for i in range(start, len(lines)) if not lines[i].startswith(" *   "))
body = "\n".join("    " + line[5:] for line in lines[start:end])
with open(sys.argv[2], "w", encoding="utf-8") as out:
    out.write(f"#include <stdio.h>\n\n#include <orrery.h>\n\nint main(void) {{\n{body}\n    return 0;\n}}\n")
