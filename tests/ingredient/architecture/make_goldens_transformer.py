#!/usr/bin/python3
"""Makes goldens_transformer.def: transformers of test_transformer.c as PyTorch computes them.

    tests/ingredient/architecture/make_goldens_transformer.py"""
import math

import torch
import torch.nn.functional as F
from goldens import Case, write


def turn(a):
    """Rotary positions as products of complex numbers."""
    t, d = a.shape[-2:]
    z = torch.complex(a[..., : d // 2], a[..., d // 2 :])
    w = 10000.0 ** (-torch.arange(d // 2) / (d // 2))
    z = z * torch.polar(torch.ones(t, d // 2), torch.arange(t)[:, None] * w)
    return torch.cat([z.real, z.imag], dim=-1)


def sinusoids(t, d):
    table = torch.zeros(t, d)
    for i in range(t):
        for j in range(d):
            a = i / 10000.0 ** (2 * (j // 2) / (2 * ((d + 1) // 2)))
            table[i, j] = math.cos(a) if j % 2 else math.sin(a)
    return table


def transformer(test, shape, width, depth, heads, outputs, vocabulary=0, causal=True, ratio=4, linear=False, base=None,
                attention_only=False, positions="learned", norm="pre", act=F.gelu, pool="mean", exponent=0.0, bias=True):
    case = Case(test, shape, vocabulary)
    n, t = shape[:2]
    d = width // heads
    scale = math.sqrt(base) / d if base else 1 / math.sqrt(d)

    def layer(name, h, out):
        w = case.p(f"{name}.weight", out, h.shape[-1])
        return F.linear(h, w, case.p(f"{name}.bias", out) if bias else None)

    def layer_norm(name, h):
        return F.layer_norm(h, (width,), case.p(f"{name}.gain", width), case.p(f"{name}.bias", width) if bias else None)

    def attention(b, h):
        q, k, v = (layer(f"{b}.{part}", h, width).reshape(n, t, heads, d).transpose(1, 2) for part in ("query", "key", "value"))
        if positions == "rotary":
            q, k = turn(q), turn(k)
        z, sees = scale * (q @ k.mT), torch.ones(t, t).tril() if causal else torch.ones(t, t)
        if linear:
            o = (z * sees / sees.sum(1, keepdim=True)) @ v
        else:
            o = z.masked_fill(sees == 0, -math.inf).softmax(-1) @ v
        return layer(f"{b}.output", o.transpose(1, 2).reshape(n, t, width), width)

    def mlp(b, h):
        return layer(f"{b}.mlp2", act(layer(f"{b}.mlp1", h, ratio * width)), width)

    if vocabulary:
        h = F.embedding(case.x, case.p("embedding.weight", vocabulary, width))
    else:
        h = layer("embedding", case.x, width)
    if positions == "learned":
        h = h + case.p("position.weight", t, width)
    if positions == "sinusoidal":
        h = h + sinusoids(t, width)
    for l in range(1, depth + 1):
        for i, branch in enumerate([attention] if attention_only else [attention, mlp]):
            name, b = f"block{l}.norm{i + 1}", f"block{l}"
            h = h + branch(b, layer_norm(name, h) if norm == "pre" else h) * depth**-exponent
            h = layer_norm(name, h) if norm == "post" else h
    if norm == "pre":
        h = layer_norm("norm", h)
    if not causal:
        h = {"mean": h.mean(1), "first": h[:, 0], "last": h[:, -1]}[pool]
    case.finish(layer("readout", h, outputs))


transformer("decoder", (2, 5), 6, 2, 2, 7, vocabulary=7)
transformer("rotary", (2, 6), 8, 2, 2, 5, vocabulary=5, positions="rotary", norm="post", act=F.relu, ratio=2)
transformer("mup", (3, 4), 6, 1, 1, 3, vocabulary=5, base=4, positions="none", bias=False, act=F.silu, ratio=3)
transformer("linear", (2, 5, 3), 6, 2, 3, 1, linear=True, attention_only=True, positions="none", norm="none", bias=False)
transformer("encoder", (3, 4, 2), 5, 2, 1, 3, causal=False, positions="sinusoidal", exponent=0.5)
transformer("first", (2, 5), 4, 1, 2, 3, vocabulary=6, causal=False, norm="post", pool="first")
transformer("last", (2, 5, 3), 4, 1, 2, 2, causal=False, linear=True, base=2, pool="last", norm="none")
write("transformer")
