#!/usr/bin/env python3
"""Writes goldens.h: PyTorch's losses of given outputs and targets, and their gradients in the outputs, in float64.

Run it with Debian's python3-torch; the commit that changes a number says why it changed.  Barlow Twins is the authors' own
program (facebookresearch/barlowtwins, main.py) in the cases that say so."""
import pathlib

import numpy as np
import torch
import torch.nn.functional as F


def scattered(seed, *shape):
    i = np.arange(np.prod(shape), dtype=np.float64)
    return torch.tensor(np.sin(1.7 * i + seed + 0.3 * i * i).reshape(shape))


def labels(classes, *shape):
    i = np.arange(np.prod(shape))
    return torch.tensor(((i * i + i // 2) % classes).reshape(shape))


def off_diagonal(x):
    n, _ = x.shape
    return x.flatten()[:-1].view(n - 1, n + 1)[:, 1:].flatten()


def barlow_twins(lambd):
    def loss(f, _):
        z1, z2 = f.chunk(2)
        bn = torch.nn.BatchNorm1d(f.shape[1], affine=False).double()
        c = bn(z1).T @ bn(z2) / len(z1)
        return torch.diagonal(c).add(-1).pow(2).sum() + lambd * off_diagonal(c).pow(2).sum()
    return loss


def simon(f, _):
    """|C - 1|^2, C = W Gamma W' (laws/solvable/ssl-stepwise)"""
    z1, z2 = f.chunk(2)
    c = (z1.T @ z2 + z2.T @ z1) / (2 * len(z1))
    return torch.linalg.norm(c - torch.eye(len(c), dtype=c.dtype)) ** 2


def signs(t):
    return 2.0 * t - 1.0 if t.dtype == torch.int64 else t


def one_hot(t):
    return F.one_hot(t, 3).double()


def margins(loss):
    return lambda f, t: loss(signs(t) * f.squeeze(1))


f3, l3 = 2 * scattered(1, 5, 3), labels(3, 5)
y3 = scattered(2, 5, 3)
f1, l1 = 3 * scattered(3, 6, 1), labels(2, 6)
y1 = torch.sign(scattered(4, 6))
far = torch.tensor([[40.0], [-40.0], [800.0], [-800.0], [1e-9], [0.0]], dtype=torch.float64)
fs, ls = 2 * scattered(5, 2, 4, 3), labels(3, 2, 4)
z = scattered(6, 8, 2)
none = torch.zeros(0, dtype=torch.float64)

cases = [
    ("mse", "", f3, l3, 3, lambda f, t: 0.5 * F.mse_loss(f, one_hot(t), reduction="sum") / 5),
    ("mse", "factor 1 outputs mean", f3, l3, 3, lambda f, t: F.mse_loss(f, one_hot(t))),
    ("mse", "factor 1 examples sum", f3, y3, 0, lambda f, t: F.mse_loss(f, t, reduction="sum")),
    ("mse", "outputs mean", f3, y3, 0, lambda f, t: 0.5 * F.mse_loss(f, t)),
    ("mse", "", f1, y1, 0, lambda f, t: 0.5 * F.mse_loss(f, t.unsqueeze(1))),
    ("denoising", "factor 1 outputs mean", f3, y3, 0, F.mse_loss),
    ("cross-entropy", "", f3, l3, 3, F.cross_entropy),
    ("cross-entropy", "examples sum", f3, l3, 3, lambda f, t: F.cross_entropy(f, t, reduction="sum")),
    ("logistic", "", f1, l1, 2, lambda f, t: F.binary_cross_entropy_with_logits(f.squeeze(1), t.double())),
    ("logistic", "examples sum", f1, y1, 0, margins(lambda m: F.softplus(-m, threshold=1e9).sum())),
    ("logistic", "", far, l1, 2, lambda f, t: F.binary_cross_entropy_with_logits(f.squeeze(1), t.double())),
    ("exponential", "", f1, l1, 2, margins(lambda m: torch.exp(-m).mean())),
    ("exponential", "examples sum", f1, y1, 0, margins(lambda m: torch.exp(-m).sum())),
    ("next-token", "", fs, ls, 3, lambda f, t: F.cross_entropy(f.flatten(0, 1), t.flatten())),
    ("next-token", "examples sum", fs, ls, 3, lambda f, t: F.cross_entropy(f.flatten(0, 1), t.flatten(), reduction="sum") / 4),
    ("barlow-twins", "lambda 5e-3 normalise true symmetric false", z, none, 0, barlow_twins(5e-3)),  # the authors' program
    ("barlow-twins", "", z, none, 0, simon),
]


def right(task, f, t):
    if task in ("logistic", "exponential"):
        return (signs(t) * f.squeeze(1) > 0).double().mean()
    if t.dtype == torch.int64:
        return (f.argmax(-1) == t).double().mean()
    return -1.0


def numbers(values):
    flat = np.asarray(values.detach().numpy(), dtype=float).ravel()
    return "{ " + ", ".join(f"{v:.17g}" for v in flat) + " }" if flat.size else "{ 0 }"


def shape(t):
    return f"{{ {t.dim()}, {{ {', '.join(map(str, t.shape))} }} }}"


out = [f"""/* Written by make_goldens.py with PyTorch {torch.__version__} and NumPy {np.__version__}. */
// clang-format off
enum {{ NUMBERS_MAX = 24 }};
static const struct golden {{
    const char *task, *pairs[8];
    orr_shape output_shape, target_shape;
    int64_t classes;
    double output[NUMBERS_MAX], target[NUMBERS_MAX], loss, gradient[NUMBERS_MAX], right; /* right: -1 where there is no such thing */
}} goldens[] = {{"""]
for task, text, f, t, classes, loss in cases:
    f = f.clone().requires_grad_()
    value = loss(f, t)
    value.backward()
    words = ", ".join(f'"{word}"' for word in text.split())
    out.append(f'    {{ "{task}", {{ {words or "NULL"} }}, {shape(f)}, {shape(t)}, {classes},\n      {numbers(f)},\n      {numbers(t)},\n'
               f"      {float(value):.17g}, {numbers(f.grad)}, {float(right(task, f, t)):.17g} }},")
out.append("};")
pathlib.Path(__file__).with_name("goldens.h").write_text("\n".join(out) + "\n")
