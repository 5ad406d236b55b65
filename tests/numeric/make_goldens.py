#!/usr/bin/env python3
"""Writes goldens.h: numbers of SciPy and NumPy that the tests of src/numeric compare with.

Run it with Debian's python3-scipy; the commit that changes a number says why it changed."""
import pathlib

import numpy as np
import scipy
import scipy.integrate
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


def dense():
    golden("singular_7_4", scipy.linalg.svdvals(general(1, 7, 4)), "scipy.linalg.svdvals(general(1, 7, 4))")
    golden("cholesky_5", scipy.linalg.cholesky(positive(2, 5), lower=True), "scipy.linalg.cholesky(positive(2, 5), lower)")
    golden("solve_6_2", scipy.linalg.solve(general(4, 6, 6), general(5, 6, 2)), "scipy.linalg.solve(general(4, 6, 6), general(5, 6, 2))")
    golden("condition_6", np.linalg.cond(general(4, 6, 6), 1), "numpy.linalg.cond(general(4, 6, 6), 1)")
    x, _, rank, _ = scipy.linalg.lstsq(general(6, 9, 4), general(7, 9, 2))
    assert rank == 4
    golden("least_squares_9_4_2", x, "scipy.linalg.lstsq(general(6, 9, 4), general(7, 9, 2))")
    a = general(8, 6, 2) @ general(9, 2, 5)
    golden("least_squares_rank_2", np.linalg.pinv(a, rcond=1e-10) @ general(10, 6, 1), "numpy.linalg.pinv of a 6 x 5 matrix of rank 2, times general(10, 6, 1)")


def matrix_functions():
    a = positive(11, 6)
    golden("sqrt_6", scipy.linalg.sqrtm(a), "scipy.linalg.sqrtm(positive(11, 6))")
    golden("log_6", scipy.linalg.logm(a), "scipy.linalg.logm(positive(11, 6))")
    for scale in (0.01, 0.3, 1, 3, 40):
        name = str(scale).replace(".", "p")
        golden(f"exp_{name}", scipy.linalg.expm(scale * general(12, 5, 5)), f"scipy.linalg.expm({scale} general(12, 5, 5))")
    golden("polar_5_3", scipy.linalg.polar(general(13, 5, 3))[0], "scipy.linalg.polar(general(13, 5, 3))[0]")


def quadrature():
    x, w = np.polynomial.hermite.hermgauss(20)
    golden("hermite_x_20", x, "numpy.polynomial.hermite.hermgauss(20), nodes")
    golden("hermite_w_20", w, "and weights")
    x, w = np.polynomial.legendre.leggauss(33)
    golden("legendre_x_33", x, "numpy.polynomial.legendre.leggauss(33), nodes")
    golden("legendre_w_33", w, "and weights")
    phi = lambda z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    mean = lambda s: 2 * scipy.integrate.quad(lambda z: phi(z) * np.tanh(s * z) ** 2, 0, 12, epsabs=1e-14, epsrel=1e-13, limit=500)[0]
    golden("tanh_squared_mean", [mean(s) for s in (0.1, 1, 2, 5)], "E tanh(s z)^2 by scipy.integrate.quad, s = 0.1, 1, 2, 5")
    pair = lambda c: scipy.integrate.dblquad(
        lambda b, a: phi(a) * phi(b) * np.tanh(1.5 * a) * np.tanh(0.7 * (c * a + np.sqrt(1 - c * c) * b)), -9, 9, -9, 9, epsabs=1e-12, epsrel=1e-11)[0]
    golden("tanh_pair_mean", [pair(c) for c in (-0.5, 0.3, 0.9)], "E tanh(u) tanh(v), variances 2.25 and 0.49, correlation -0.5, 0.3, 0.9, by scipy.integrate.dblquad")


def ode():
    robertson = lambda t, y: [-0.04 * y[0] + 1e4 * y[1] * y[2], 0.04 * y[0] - 1e4 * y[1] * y[2] - 3e7 * y[1] ** 2, 3e7 * y[1] ** 2]
    s = scipy.integrate.solve_ivp(robertson, (0, 4000), [1, 0, 0], method="Radau", rtol=1e-12, atol=1e-16, t_eval=[0.4, 40, 4000])
    golden("robertson", s.y.T, "Robertson's kinetics at 0.4, 40, 4000 by scipy.integrate.solve_ivp, Radau, rtol 1e-12")
    lorenz = lambda t, y: [10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]]
    s = scipy.integrate.solve_ivp(lorenz, (0, 2), [1, 1, 1], method="DOP853", rtol=1e-13, atol=1e-14, t_eval=[0.5, 1, 2])
    golden("lorenz", s.y.T, "the Lorenz system from (1, 1, 1) at 0.5, 1, 2 by scipy.integrate.solve_ivp, DOP853, rtol 1e-13")


def solvers():
    golden("cg_40", scipy.linalg.solve(positive(14, 40), general(15, 40, 1)), "scipy.linalg.solve(positive(14, 40), general(15, 40, 1))")
    golden("trace_log_60", np.sum(np.log(scipy.linalg.eigvalsh(positive(16, 60)))), "log det positive(16, 60)")


def main():
    for section in (eigen, dense, matrix_functions, quadrature, ode, solvers):
        section()
    head = f"/* Made by make_goldens.py with NumPy {np.__version__}, SciPy {scipy.__version__}; not to be edited. */\n"
    head += "// clang-format off\n#ifndef ORR_TESTS_NUMERIC_GOLDENS_H\n#define ORR_TESTS_NUMERIC_GOLDENS_H\n\n"
    path = pathlib.Path(__file__).with_name("goldens.h")
    path.write_text(head + "\n".join(lines) + "\n#endif\n")


main()
