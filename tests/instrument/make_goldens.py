#!/usr/bin/python3
"""Makes goldens.h: neural-collapse metrics and CKA of features that a formula gives (ORDER given: test_layers.c), by NumPy from the
definitions (d x d covariances and their pseudo-inverse; feature by feature), not from the rearranged forms that the program uses."""
import pathlib

import numpy as np

N, D, K = 12, 6, 4
i, j = np.arange(N)[:, None], np.arange(D)[None, :]
k = np.arange(K)[:, None]
H = np.sin(1 + 1.3 * i + 2.1 * j + 0.37 * i * j)
W = np.cos(0.5 + 1.7 * k + 0.9 * j * (1 + 0.3 * k))


def simplex(a):
    n = len(a)
    norms = np.linalg.norm(a, axis=1)
    cosines = (a @ a.T) / np.outer(norms, norms)
    return norms.std() / norms.mean(), np.abs(cosines[~np.eye(n, dtype=bool)] + 1 / (n - 1)).mean()


def collapse(h, w, y):
    classes = np.unique(y)
    n = len(classes)
    means = np.array([h[y == c].mean(0) for c in classes])
    m = means - means.mean(0)
    away = h - means[np.searchsorted(classes, y)]
    within, between = away.T @ away / len(h), m.T @ m / n
    value, vector = np.linalg.eigh(between)
    top = vector[:, -(n - 1):]
    inverse = top @ np.diag(1 / value[-(n - 1):]) @ top.T
    wc = w[classes] - w[classes].mean(0)
    nearest = classes[((h[:, None, :] - means[None]) ** 2).sum(2).argmin(1)]
    return [np.trace(within @ inverse) / n, *simplex(m), *simplex(wc),
            np.linalg.norm(wc / np.linalg.norm(wc) - m / np.linalg.norm(m)), ((h @ w.T).argmax(1) != nearest).mean()]


def cka(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return np.linalg.norm(x.T @ y) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


def hsic_u(k, l):
    n = len(k)
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    one = np.ones(n)
    return (np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
            - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3))


def cka_u(x, y):
    k, l = x @ x.T, y @ y.T  # not centred
    return hsic_u(k, l) / np.sqrt(hsic_u(k, k) * hsic_u(l, l))


def row(values):
    return "{ " + ", ".join(f"{v:.15g}" for v in values) + " }"


every, gap = np.arange(N) % K, np.where(np.arange(N) % K == 1, 3, np.arange(N) % K)
lines = ["/* Made by tests/instrument/make_goldens.py from NumPy; don't edit. */",
         "/* nc1, nc2_norm, nc2_angle, nc2_norm_readout, nc2_angle_readout, nc3, nc4 */",
         f"static const double golden_collapse[7] = {row(collapse(H, W, every))};",
         "/* no example of class 1: those of it are of class 3 */",
         f"static const double golden_collapse_without_a_class[7] = {row(collapse(H, W, gap))};",
         "/* of the features and of what the readout makes of them */",
         f"static const double golden_cka = {cka(H, H @ W.T):.15g}, golden_cka_unbiased = {cka_u(H, H @ W.T):.15g};"]
(pathlib.Path(__file__).parent / "goldens.h").write_text("\n".join(lines) + "\n")
