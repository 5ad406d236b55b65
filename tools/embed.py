#!/usr/bin/env python3
"""Files as C: tools/embed.py OUT.c NAME=FILE...  writes, for each, `const char NAME[]` with a zero behind its bytes and
`const size_t NAME_size` without the zero.  NAME=packed:FILE embeds the file's raw deflate stream as base64, which a page
unpacks itself.  The build runs it; the declarations stand in a header beside the user."""
import base64
import pathlib
import sys
import zlib


def pack(data):
    stream = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.b64encode(stream.compress(data) + stream.flush())


out, *items = sys.argv[1:]
lines = ["#include <stddef.h>", ""]
for item in items:
    name, _, path = item.partition("=")
    packed, path = path.startswith("packed:"), path.removeprefix("packed:")
    data = pathlib.Path(path).read_bytes()
    if packed:
        data = pack(data)
    lines += [f"extern const char {name}[{len(data) + 1}];", f"extern const size_t {name}_size;",
              f"const size_t {name}_size = {len(data)};", f"const char {name}[{len(data) + 1}] = {{"]
    # char may be signed: bytes above 127 as negative numbers, so that no conversion warns
    numbers = [str(b - 256 if b > 127 else b) for b in data] + ["0"]
    lines += [",".join(numbers[i:i + 256]) + "," for i in range(0, len(numbers), 256)]
    lines += ["};", ""]
pathlib.Path(out).write_text("\n".join(lines))
