#!/usr/bin/env python3
"""Writes goldens.h: files that NumPy wrote, and a safetensors file spelled out from the page of the format.

The arrays are what stands in the table of test_npy.c: -2 .. 3 in 2 x 3, quarters where the type has them.  Run it with
Debian's python3-numpy; the commit that changes a byte says why it changed."""
import io
import json
import pathlib
import struct

import numpy as np

lines = []


def bytes_of(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def golden(name, data):
    lines.append(f"static const unsigned char {name}[] = {{")
    for i in range(0, len(data), 20):
        lines.append("    " + " ".join(f"{b}," for b in data[i : i + 20]))
    lines.append("};")


def npy(array, **how):
    return bytes_of(lambda f: np.lib.format.write_array(f, array, allow_pickle=False, **how))


whole = np.arange(-2, 4).reshape(2, 3)
natural = np.arange(6).reshape(2, 3)
quarters = whole / 4
for kind in ("<f2", "<f4", "<f8", ">f2", ">f4", ">f8"):
    golden("npy_" + kind.replace("<", "little_").replace(">", "big_"), npy(quarters.astype(kind)))
for kind in ("|i1", "<i2", "<i4", "<i8", ">i2", ">i4", ">i8"):
    golden("npy_" + kind.replace("|", "").replace("<", "little_").replace(">", "big_"), npy(whole.astype(kind)))
for kind in ("|u1", "<u2", "<u4", "<u8"):
    golden("npy_" + kind.replace("|", "").replace("<", "little_"), npy(natural.astype(kind)))
golden("npy_bool", npy(whole > 0))
golden("npy_fortran", npy(np.asfortranarray(quarters)))
golden("npy_fortran_3", npy(np.asfortranarray(np.arange(24, dtype="<i4").reshape(2, 3, 4))))
golden("npy_version_2", npy(quarters, version=(2, 0)))
golden("npy_version_3", npy(quarters, version=(3, 0)))
golden("npy_scalar", npy(np.float64(2.5)))
golden("npy_row", npy(np.arange(3, dtype="<f4") / 4))
golden("npy_none", npy(np.zeros((0, 3))))
# What must be refused with its reason.
golden("npy_complex", npy(quarters.astype("<c16")))
golden("npy_text", npy(np.array(["a", "bc"])))
golden("npy_date", npy(np.array(["2020-01-01"], dtype="<M8[D]")))
golden("npy_record", npy(np.zeros(2, dtype=[("x", "<f8"), ("y", "<i4")])))
golden("npy_object", bytes_of(lambda f: np.lib.format.write_array(f, np.array([None, {}], dtype=object))))
golden("npy_large", npy(np.array([1, 5_000_000_000])))
golden("npy_large_unsigned", npy(np.array([1, 2**63], dtype="<u8")))

arrays = {"weights": quarters, "labels": np.array([1, 0, 2], dtype="<i4"), "mask": whole > 0}
golden("npz_stored", bytes_of(lambda f: np.savez(f, **arrays)))
golden("npz_deflated", bytes_of(lambda f: np.savez_compressed(f, **arrays)))
golden("npz_empty", bytes_of(lambda f: np.savez(f)))


def brain(x):  # bf16: the upper half of an f32, of which quarters need no more
    return b"".join(struct.pack("<f", v)[2:] for v in x.ravel())


tensors = {
    "f64": ("F64", quarters.astype("<f8").tobytes()),
    "f32": ("F32", quarters.astype("<f4").tobytes()),
    "f16": ("F16", quarters.astype("<f2").tobytes()),
    "bf16": ("BF16", brain(quarters)),
    "i64": ("I64", whole.astype("<i8").tobytes()),
    "i32": ("I32", whole.astype("<i4").tobytes()),
    "u8": ("U8", natural.astype("|u1").tobytes()),
    "bool": ("BOOL", (whole > 0).tobytes()),
}
header, data = {"__metadata__": {"format": "pt"}}, b""
for name, (dtype, body) in tensors.items():
    header[name] = {"dtype": dtype, "shape": [2, 3], "data_offsets": [len(data), len(data) + len(body)]}
    data += body
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
golden("safetensors_all", struct.pack("<Q", len(text)) + text + data)

target = pathlib.Path(__file__).with_name("goldens.h")
target.write_text("/* Made by make_goldens.py: don't edit. */\n// clang-format off\n" + "\n".join(lines) + "\n// clang-format on\n")
