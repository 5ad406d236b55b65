#!/usr/bin/env python3
"""Writes goldens.h: numbers of SciPy and NumPy that the tests of src/numeric compare with.

Run it with Debian's python3-scipy; the commit that changes a number says why it changed."""
import pathlib

import numpy as np
import scipy
import scipy.linalg

lines = []


def scattered(seed, i, j):  # ORDER matrices: matrices.h
    return float((i * 7919 + j * 104729 + i * j * 1299709 + i * i * j * 611953 + seed * 15485863) % 32452843) / 32452843 - 0.5


def general(seed, m, n):
    return np.array([[scattered(seed, i, j) for j in range(n)] for i in range(m)])


def symmetric(seed, n):
    return np.array([[scattered(seed, min(i, j), max(i, j)) for j in range(n)] for i in range(n)])


def positive(seed, n):
    b = general(seed, n, n)
    return b @ b.T + np.eye(n) / 4


def golden(name, values, comment):
    values = np.atleast_1d(np.asarray(values, dtype=float)).ravel()
    text = ",".join(f" {v:.17g}" for v in values)
    lines.append(f"/* {comment} */\nstatic const double golden_{name}[] = {{{text} }};\n")


def eigen():
    golden("eigen_150", scipy.linalg.eigvalsh(symmetric(3, 150)), "scipy.linalg.eigvalsh(symmetric(3, 150))")


def main():
    for section in (eigen,):
        section()
    head = f"/* Made by make_goldens.py with NumPy {np.__version__}, SciPy {scipy.__version__}; not to be edited. */\n"
    head += "// clang-format off\n#ifndef ORR_TESTS_NUMERIC_GOLDENS_H\n#define ORR_TESTS_NUMERIC_GOLDENS_H\n\n"
    path = pathlib.Path(__file__).with_name("goldens.h")
    path.write_text(head + "\n".join(lines) + "\n#endif\n")


main()
