#!/usr/bin/env python3
"""Goldens of the architectures: outputs and gradients by PyTorch in float64, from weights that a formula gives.

    x[i] = 1.2 sin(1.1 i + 0.3)              4 examples of 5 features
    w_t[i] = mean + 0.8 sin(0.9 i + 1.7 t + 0.5)      tensor t, element i
    loss = sum_i f[i] sin(0.7 i + 0.2)
What stands for a gradient: its products with 1 and with sin(1.3 i + 0.1).

    python3 tests/ingredient/make_architectures.py > tests/ingredient/architectures.def
"""
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
N, D = 4, 5


def wave(n, a, b):
    return torch.sin(a * torch.arange(n, dtype=torch.float64) + b)


X = (1.2 * wave(N * D, 1.1, 0.3)).reshape(N, D)
PHI = {
    "tanh": torch.tanh, "relu": torch.relu, "erf": torch.erf, "erf-scaled": lambda a: torch.erf(a / math.sqrt(2)),
    "gelu": F.gelu, "silu": F.silu, "softplus": F.softplus, "sin": torch.sin, "quadratic": torch.square,
    "linear": lambda a: a,
}


def case(kind, settings, outputs, tensors, forward):
    """tensors: (name, shape) or (name, shape, mean), in order; forward: of a dict by name."""
    w = {}
    for t, (name, shape, *mean) in enumerate(tensors):
        n = math.prod(shape)
        w[name] = ((mean[0] if mean else 0.0) + 0.8 * wave(n, 0.9, 1.7 * t + 0.5)).reshape(shape).requires_grad_()
    f = forward(w)
    assert f.shape == (N, outputs)
    (f.flatten() * wave(f.numel(), 0.7, 0.2)).sum().backward()
    number = lambda v: repr(float(v))
    print(f'{{ "{kind}", {{ ' + ", ".join(f'"{s}"' for s in settings + [""]) .replace('""', "NULL") + " },")
    print(f"  {outputs}, {{ " + ", ".join(number(v) for v in f.detach().flatten()) + " },")
    print(f"  {len(tensors)}, {{ ")
    for name, shape, *_ in tensors:
        gradient = w[name].grad.flatten()
        print(f'    {{ "{name}", {gradient.numel()}, {{ {number(gradient.sum())}, '
              f'{number((gradient * wave(gradient.numel(), 1.3, 0.1)).sum())} }} }},')
    print("  } },")


def affine(w, layer, h, prefix=""):
    return F.linear(h, w[f"layer{layer}.{prefix}weight"], w.get(f"layer{layer}.{prefix}bias"))


def norm(w, layer, h, which):
    if which == "none":
        return h
    gain, shift = w[f"layer{layer}.gain"], w[f"layer{layer}.shift"]
    if which == "layer":
        return F.layer_norm(h, h.shape[1:], gain, shift, 1e-5)
    return F.batch_norm(h, None, None, gain, shift, training=True, eps=1e-5)


def mlp(widths, phi="tanh", bias=True, which="none"):
    tensors, fan_in = [], D
    for l, n in enumerate(widths + [3], 1):
        tensors.append((f"layer{l}.weight", (n, fan_in)))
        if bias:
            tensors.append((f"layer{l}.bias", (n,)))
        if which != "none" and l <= len(widths):
            tensors += [(f"layer{l}.gain", (n,), 1.0), (f"layer{l}.shift", (n,))]
        fan_in = n

    def forward(w):
        h = X
        for l in range(1, len(widths) + 1):
            h = PHI[phi](norm(w, l, affine(w, l, h), which))
        return affine(w, len(widths) + 1, h)

    case("mlp", ["widths", " ".join(map(str, widths)), "activation", phi, "bias", str(bias).lower(), "norm", which], 3,
         tensors, forward)


def residual(kind, n, depth, scale, exponent, which="none", bias=True):
    tensors = []

    def add(layer, prefix, shape):
        tensors.append((f"layer{layer}.{prefix}weight", shape))
        if bias:
            tensors.append((f"layer{layer}.{prefix}bias", shape[:1]))

    def add_norm(layer):
        if which != "none":
            tensors.extend([(f"layer{layer}.gain", (n,), 1.0), (f"layer{layer}.shift", (n,))])

    add(1, "", (n, D))
    for l in range(2, depth + 1):
        add_norm(l)
        if kind == "double":
            add(l, "inner.", (n, n))
        add(l, "", (n, n))
    add_norm(depth + 1)
    add(depth + 1, "", (3, n))

    def forward(w):
        z = affine(w, 1, X)
        for l in range(2, depth + 1):
            h = norm(w, l, z, which)
            if kind == "double":
                h = affine(w, l, h, "inner.")
            z = z + scale / (depth - 1) ** exponent * affine(w, l, torch.tanh(h))
        return affine(w, depth + 1, norm(w, depth + 1, z, which))

    case("mlp", ["widths", " ".join([str(n)] * depth), "residual", kind, "branch_scale", str(scale),
                 "branch_exponent", str(exponent), "norm", which, "bias", str(bias).lower()], 3, tensors, forward)


def linear(widths):
    names, tensors, fan_in = [], [], D
    for l, n in enumerate(widths + [3], 1):
        tensors.append((f"layer{l}.weight", (n, fan_in)))
        fan_in = n

    def forward(w):
        h = X
        for name, _ in tensors:
            h = h @ w[name].T
        return h

    case("linear", ["widths", " ".join(map(str, widths))], 3, tensors, forward)


def diagonal(depth, scale, outputs):
    case("diagonal-linear", ["depth", str(depth), "scale", str(scale)], outputs,
         [("u", (outputs, D), scale), ("v", (outputs, D), scale)],
         lambda w: X @ (w["u"] ** depth - w["v"] ** depth).T)


def direction(outputs):
    case("direction", [], outputs, [("layer1.weight", (outputs, D))],
         lambda w: X @ (w["layer1.weight"] / w["layer1.weight"].norm(dim=1, keepdim=True)).T)


def committee(units, head, phi, bias, root, outputs):
    tensors = [("layer1.weight", (units, D))]
    if bias:
        tensors.append(("layer1.bias", (units,)))
    mean = {"one": 1.0, "mean": 1.0 / units, "trained": 0.0}[head]
    tensors.append(("head.weight", (outputs, units), mean))
    case("committee", ["units", str(units), "head", head, "activation", phi, "bias", str(bias).lower(), "root",
                       str(root).lower()], outputs, tensors,
         lambda w: PHI[phi](F.linear(X / math.sqrt(D) if root else X, w["layer1.weight"], w.get("layer1.bias")))
         @ w["head.weight"].T)


def random_features(features, phi, bias):
    tensors = [("features.weight", (features, D))]
    if bias:
        tensors.append(("features.bias", (features,)))
    tensors.append(("readout.weight", (3, features)))
    case("random-features", ["features", str(features), "activation", phi, "bias", str(bias).lower()], 3, tensors,
         lambda w: PHI[phi](F.linear(X, w["features.weight"], w.get("features.bias"))) @ w["readout.weight"].T)


print("/* Made by tests/ingredient/make_architectures.py with PyTorch", torch.__version__.split("+")[0], "*/")
print("// clang-format off")
for phi in PHI:
    mlp([4, 3], phi)
mlp([6], "relu", bias=False)
mlp([4, 6, 3], "gelu", which="layer")
mlp([4, 6], "tanh", which="batch")
mlp([4], "silu", bias=False, which="batch")
residual("single", 4, 4, 1, 0)
residual("single", 4, 4, 0.7, 0.5, bias=False)
residual("single", 4, 3, 0.5, 1, which="layer")
residual("double", 4, 3, 0.5, 0.5)
residual("double", 3, 4, 2, 1, which="batch")
linear([4, 6])
linear([2, 3, 4, 3])
for depth in 1, 2, 3, 6:
    diagonal(depth, 0.1, 1)
diagonal(2, -0.5, 3)
committee(3, "one", "erf-scaled", False, False, 1)
committee(4, "mean", "tanh", True, False, 1)
committee(4, "trained", "relu", True, True, 3)
random_features(7, "relu", False)
random_features(7, "sin", True)
direction(1)
direction(3)
