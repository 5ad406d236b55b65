#!/usr/bin/env python3
"""Files as C: tools/embed.py OUT.c NAME=FILE...  writes, for each, `const char NAME[]` with a zero behind its bytes and
`const size_t NAME_size` without the zero.  The build runs it; the declarations stand in a header beside the user."""
import pathlib
import sys

out, *items = sys.argv[1:]
lines = ["#include <stddef.h>", ""]
for item in items:
    name, _, path = item.partition("=")
    data = pathlib.Path(path).read_bytes()
    lines += [f"extern const char {name}[{len(data) + 1}];", f"extern const size_t {name}_size;",
              f"const size_t {name}_size = {len(data)};", f"const char {name}[{len(data) + 1}] = {{"]
    # char may be signed: bytes above 127 as negative numbers, so that no conversion warns
    numbers = [str(b - 256 if b > 127 else b) for b in data] + ["0"]
    lines += [",".join(numbers[i:i + 256]) + "," for i in range(0, len(numbers), 256)]
    lines += ["};", ""]
pathlib.Path(out).write_text("\n".join(lines))
