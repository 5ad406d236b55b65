"""A noisy table of losses and its fit by SciPy, into scaling_fit_goldens.h.

The objective is that of src/theory/scaling_fit.h, written anew; its minimum is found by BFGS in double precision from 243 starts and
polished by Nelder and Mead's simplex, which knows no gradient."""
import itertools
import pathlib

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

rng = np.random.default_rng(5)
grid = list(itertools.product(np.geomspace(1e4, 1e6, 4), np.geomspace(1e3, 3e5, 6)))
N, D = np.array(grid).T
L = (0.3 + 40 * N**-0.4 + 12 * D**-0.35) * np.exp(0.01 * rng.standard_normal(len(N)))
L = np.array([float(f"{x:.6g}") for x in L])
N, D = N.round(), D.round()
delta = 1e-3
file = (pathlib.Path(__file__).parent / "scaling_fit_goldens.h").open("w")


def objective(p):
    a, b, e, alpha, beta = p
    r = logsumexp([a - alpha * np.log(N), b - beta * np.log(D), e + 0 * N], axis=0) - np.log(L)
    return 1e4 * np.where(abs(r) <= delta, r * r / 2, delta * (abs(r) - delta / 2)).sum()


best = min(
    (minimize(objective, p, method="BFGS") for p in itertools.product((0, 10, 20), (0, 10, 20), (-1, 0, 1), (0, 0.5, 1.5), (0, 0.5, 1.5))),
    key=lambda m: m.fun,
)
for _ in range(20):
    best = minimize(objective, best.x, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 20000, "maxfev": 20000})
a, b, e, alpha, beta = best.x
print("/* Made by make_scaling_fit.py. */", file=file)
print("static const orr_scaling_cell noisy[] = {", file=file)
for n, d, l in zip(N, D, L):
    print(f"    {{ {n:.0f}, {d:.0f}, {l:.6g} }},", file=file)
print("};", file=file)
print(f"static const orr_scaling_law noisy_law = {{ .E = {np.exp(e):.9g}, .A = {np.exp(a):.9g}, .alpha = {alpha:.9g}, .B = {np.exp(b):.9g}, .beta = {beta:.9g} }};", file=file)
print(f"static const double noisy_objective = {best.fun / 1e4:.9g};", file=file)

# the sheet's draw: the grid of 64 trainings with 1 % noise, from NumPy's default generator of seed 0
rng = np.random.default_rng(0)
print("static const orr_scaling_cell of_the_sheet[] = {", file=file)
for n in np.logspace(7, 10, 8):
    for d in np.logspace(9, 11.5, 8):
        loss = (1.69 + 406.4 * n**-0.34 + 410.7 * d**-0.28) * np.exp(0.01 * rng.standard_normal())
        print(f"    {{ {n:.17g}, {d:.17g}, {loss:.17g} }},", file=file)
print("};", file=file)
