#!/usr/bin/env python3
"""Writes goldens.h: weights after 20 updates of PyTorch's optimisers and of NumPy references, and PyTorch's schedules.

The problem is L = 1/(2n) |tanh(X W' + b) - Y|^2, all in float64.  Run it with Debian's python3-torch; the commit that changes a
number says why it changed.  SGD, Adam, AdamW, RMSprop, the schedulers and (but for its 1e-6) clip_grad_norm_ are torch.optim's;
what PyTorch 1.13 lacks is written out below, with inverse roots from numpy.linalg.eigh."""
import math
import pathlib
import warnings

import numpy as np
import torch

warnings.simplefilter("ignore")
STEPS = 20
N, INPUTS, OUTPUTS = 5, 4, 3


def scattered(seed, *shape):
    i = np.arange(np.prod(shape), dtype=np.float64)
    return np.sin(1.7 * i + seed + 0.3 * i * i).reshape(shape)


x, y = torch.tensor(scattered(1, N, INPUTS)), torch.tensor(0.9 * scattered(2, N, OUTPUTS))


def start():
    return [torch.tensor(0.8 * scattered(3, OUTPUTS, INPUTS), requires_grad=True),
            torch.tensor(0.5 * scattered(4, OUTPUTS), requires_grad=True)]


def loss_of(w):
    return ((torch.tanh(x @ w[0].T + w[1]) - y) ** 2).sum() / (2 * N)


def gradient(w):
    return torch.autograd.grad(loss_of(w), w)


def clip_to(limit):
    def clip(w):
        norm = torch.sqrt(sum((p.grad ** 2).sum() for p in w))
        copies = [torch.zeros_like(p) for p in w]
        for c, p in zip(copies, w):
            c.grad = p.grad.clone()
        torch.nn.utils.clip_grad_norm_(copies, limit)
        for c, p in zip(copies, w):
            p.grad.mul_(min(1.0, limit / float(norm)))
            assert torch.allclose(c.grad, p.grad, rtol=1e-6 / limit + 1e-9, atol=0)  # its 1e-6
    return clip


def shrink_by(decay):
    def shrink(w):
        with torch.no_grad():
            for p in w:
                p.mul_(1 - decay)
    return shrink


def by_torch(make, scheduler=None, before=None):
    w = start()
    optimiser = make(w)
    schedule = scheduler(optimiser) if scheduler else None
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss_of(w).backward()
        if before:
            before(w)
        optimiser.step()
        if schedule:
            schedule.step()
    return w


def by_hand(update):
    """update(k, tensor, w, g, memory of this tensor) -> w"""
    w, memory = start(), [{}, {}]
    for k in range(STEPS):
        g = gradient(w)
        new = [update(k, i, w[i].detach().numpy(), g[i].numpy(), memory[i]) for i in range(2)]
        w = [torch.tensor(v, requires_grad=True) for v in new]
    return w


def sign(rate, beta):
    def update(k, i, w, g, memory):
        memory["m"] = beta * memory.get("m", 0) + (1 - beta) * g
        return w - rate * np.sign(memory["m"])
    return update


def sam(rate, rho):
    w = start()
    for _ in range(STEPS):
        g = gradient(w)
        norm = torch.sqrt(sum((p ** 2).sum() for p in g)) + 1e-12
        up = [(p + rho * q / norm).detach().requires_grad_() for p, q in zip(w, g)]
        h = gradient(up)
        w = [(p - rate * q).detach().requires_grad_() for p, q in zip(w, h)]
    return w


def scalar_rmsprop(rate, beta2, eps):
    w, v = start(), 0.0
    for _ in range(STEPS):
        g = gradient(w)
        v = beta2 * v + (1 - beta2) * sum(float((p ** 2).sum()) for p in g)
        w = [(p - rate * q / (math.sqrt(v) + eps)).detach().requires_grad_() for p, q in zip(w, g)]
    return w


def power(a, p):
    value, vector = np.linalg.eigh(a)
    return (vector * value ** p) @ vector.T


def shampoo(rate, eps):
    def update(k, i, w, g, memory):
        if w.ndim == 1:
            memory["v"] = memory.get("v", 0) + g * g
            return w - rate * g / np.sqrt(memory["v"] + eps)
        memory["L"] = memory.get("L", eps * np.eye(w.shape[0])) + g @ g.T
        memory["R"] = memory.get("R", eps * np.eye(w.shape[1])) + g.T @ g
        return w - rate * power(memory["L"], -0.25) @ g @ power(memory["R"], -0.25)
    return update


def adam(rate, beta1, beta2, eps, k, w, g, memory):
    memory["m"] = beta1 * memory.get("m", 0) + (1 - beta1) * g
    memory["v"] = beta2 * memory.get("v", 0) + (1 - beta2) * g * g
    m, v = memory["m"] / (1 - beta1 ** (k + 1)), memory["v"] / (1 - beta2 ** (k + 1))
    return w - rate * m / (np.sqrt(v) + eps)


def newton_schulz(u, steps=5):
    a, b, c = 3.4445, -4.7750, 2.0315
    u = u / (np.linalg.norm(u) + 1e-7)
    tall = u.shape[0] > u.shape[1]
    u = u.T if tall else u
    for _ in range(steps):
        square = u @ u.T
        u = a * u + (b * square + c * square @ square) @ u
    return u.T if tall else u


def muon(rate, momentum, nesterov, scale, vector_rate, decay):
    def update(k, i, w, g, memory):
        w = w * (1 - rate * decay)
        if w.ndim == 1:
            return adam(rate * vector_rate, 0.9, 0.999, 1e-8, k, w, g, memory)
        memory["M"] = momentum * memory.get("M", 0) + g
        u = g + momentum * memory["M"] if nesterov else memory["M"]
        return w - rate * scale * newton_schulz(u)
    return update


O = torch.optim
L = torch.optim.lr_scheduler
cases = [
    ("gd", "learning_rate 0.3", by_torch(lambda w: O.SGD(w, 0.3))),
    ("sgd", "learning_rate 0.3", by_torch(lambda w: O.SGD(w, 0.3))),
    ("label-noise-sgd", "learning_rate 0.3", by_torch(lambda w: O.SGD(w, 0.3))),
    ("sgld", "learning_rate 0.3 temperature 0", by_torch(lambda w: O.SGD(w, 0.3))),
    ("sgd", "learning_rate 0.1 momentum 0.9", by_torch(lambda w: O.SGD(w, 0.1, momentum=0.9))),
    ("sgd", "learning_rate 0.1 momentum 0.9 dampening 0.3", by_torch(lambda w: O.SGD(w, 0.1, momentum=0.9, dampening=0.3))),
    ("sgd", "learning_rate 0.3 dampening 0.3", by_torch(lambda w: O.SGD(w, 0.3, dampening=0.3))),
    ("sgd", "learning_rate 0.1 momentum 0.8 nesterov true", by_torch(lambda w: O.SGD(w, 0.1, momentum=0.8, nesterov=True))),
    ("sgd", "learning_rate 0.1 momentum 0.8 weight_decay 0.05",
     by_torch(lambda w: O.SGD(w, 0.1, momentum=0.8, weight_decay=0.05))),
    ("heavy-ball", "learning_rate 0.1 momentum 0.7", by_torch(lambda w: O.SGD(w, 0.1, momentum=0.7))),
    ("nesterov", "learning_rate 0.1 momentum 0.7", by_torch(lambda w: O.SGD(w, 0.1, momentum=0.7, nesterov=True))),
    ("adam", "learning_rate 0.05", by_torch(lambda w: O.Adam(w, 0.05))),
    ("adam", "learning_rate 0.05 beta1 0.7 beta2 0.95 eps 1e-3", by_torch(lambda w: O.Adam(w, 0.05, (0.7, 0.95), 1e-3))),
    ("adam", "learning_rate 0.05 weight_decay 0.1", by_torch(lambda w: O.Adam(w, 0.05, weight_decay=0.1))),
    ("adam", "learning_rate 0.05 weight_decay 0.1 decay_coupling rate", by_torch(lambda w: O.AdamW(w, 0.05, weight_decay=0.1))),
    ("adamw", "learning_rate 0.05 weight_decay 0.1", by_torch(lambda w: O.AdamW(w, 0.05, weight_decay=0.1))),
    ("rmsprop", "learning_rate 0.02", by_torch(lambda w: O.RMSprop(w, 0.02))),
    ("rmsprop", "learning_rate 0.02 beta2 0.9 eps 1e-4", by_torch(lambda w: O.RMSprop(w, 0.02, alpha=0.9, eps=1e-4))),
    ("rmsprop", "learning_rate 0.05 beta2 0.9 eps 1e-4 scalar true", scalar_rmsprop(0.05, 0.9, 1e-4)),
    ("sgd", "learning_rate 0.5 clip 0.2", by_torch(lambda w: O.SGD(w, 0.5), before=clip_to(0.2))),
    ("sgd", "learning_rate 0.3 weight_decay 0.02 decay_coupling none",
     by_torch(lambda w: O.SGD(w, 0.3), before=shrink_by(0.02))),
    ("sgd", "learning_rate 0.4 momentum 0.5 schedule cosine final 0.1",
     by_torch(lambda w: O.SGD(w, 0.4, momentum=0.5), lambda o: L.CosineAnnealingLR(o, STEPS, 0.04))),
    ("adamw", "learning_rate 0.05 weight_decay 0.1 schedule step drop_every 6 drop 0.5",
     by_torch(lambda w: O.AdamW(w, 0.05, weight_decay=0.1), lambda o: L.StepLR(o, 6, 0.5))),
    ("adam", "learning_rate 0.05 warmup 8", by_torch(lambda w: O.Adam(w, 0.05), lambda o: L.LambdaLR(o, lambda k: min(1, (k + 1) / 8)))),
    ("sign", "learning_rate 0.01", by_hand(sign(0.01, 0.0))),
    ("sign", "learning_rate 0.01 momentum 0.9", by_hand(sign(0.01, 0.9))),
    ("sam", "learning_rate 0.3 rho 0.1", sam(0.3, 0.1)),
    ("shampoo", "learning_rate 0.1 eps 1e-4", by_hand(shampoo(0.1, 1e-4))),
    ("shampoo", "learning_rate 0.1 eps 1e-8", by_hand(shampoo(0.1, 1e-8))),
    ("muon", "learning_rate 0.02", by_hand(muon(0.02, 0.95, True, 1.0, 1.0, 0.0))),
    ("muon", "learning_rate 0.02 momentum 0.8 nesterov false scale rms vector_rate 0.5 weight_decay 0.1",
     by_hand(muon(0.02, 0.8, False, 0.2 * math.sqrt(max(OUTPUTS, INPUTS)), 0.5, 0.1))),
]


def rates(make, n=25):
    """The learning rates of n updates over the first's full size 1."""
    w = torch.zeros(1, requires_grad=True)
    w.grad = torch.zeros(1)
    optimiser = O.SGD([w], 1.0)
    schedule = make(optimiser)
    out = []
    for _ in range(n):
        out.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return out


def annealed(k, warmup, horizon, final):
    """CosineAnnealingLR's closed form behind a warm-up, held at its end."""
    p = min(max((k - warmup) / (horizon - warmup), 0), 1)
    return min(1, (k + 1) / warmup) * (final + (1 - final) * (1 + math.cos(math.pi * p)) / 2)


schedules = [
    ("schedule constant", rates(lambda o: L.LambdaLR(o, lambda k: 1.0))),
    ("schedule constant warmup 10", rates(lambda o: L.LambdaLR(o, lambda k: min(1, (k + 1) / 10)))),
    ("schedule cosine horizon 24 final 0.05", rates(lambda o: L.CosineAnnealingLR(o, 24, 0.05))),
    ("schedule cosine horizon 20 warmup 4 final 0.05", rates(lambda o: L.LambdaLR(o, lambda k: annealed(k, 4, 20, 0.05)))),
    ("schedule linear horizon 16 final 0.25", rates(lambda o: L.LinearLR(o, 1.0, 0.25, 16))),
    ("schedule step drop_every 7 drop 0.3", rates(lambda o: L.StepLR(o, 7, 0.3))),
    ("schedule wsd horizon 20 warmup 5 decay 0.4 final 0.1",
     rates(lambda o: L.LambdaLR(o, lambda k: min(1, (k + 1) / 5) * (1 - 0.9 * min(max((k - 12) / 8, 0), 1))))),
    ("schedule linear", rates(lambda o: L.LinearLR(o, 1.0, 1e-300, 25))),  # the experiment's 25 steps
]


def numbers(values):
    flat = np.asarray(values.detach().numpy() if torch.is_tensor(values) else values, dtype=float).ravel()
    return "{ " + ", ".join(f"{v:.17g}" for v in flat) + " }"


def words(text):
    return "{ " + ", ".join(f'"{word}"' for word in text.split()) + " }"


w0 = start()
out = [f"""/* Written by make_goldens.py with PyTorch {torch.__version__} and NumPy {np.__version__}. */
// clang-format off
enum {{ STEPS = {STEPS}, EXAMPLES = {N}, INPUTS = {INPUTS}, OUTPUTS = {OUTPUTS}, UPDATES = 25 }};
static const double data_x[] = {numbers(x)};
static const double data_y[] = {numbers(y)};
static const double start_w[] = {numbers(w0[0])};
static const double start_b[] = {numbers(w0[1])};
static const struct golden {{ const char *rule, *pairs[20]; double w[OUTPUTS * INPUTS], b[OUTPUTS]; }} goldens[] = {{"""]
for rule, text, w in cases:
    out.append(f'    {{ "{rule}", {words(text)},\n      {numbers(w[0])},\n      {numbers(w[1])} }},')
out.append("};\nstatic const struct scheduled { const char *pairs[20]; double factor[UPDATES]; } schedules[] = {")
for text, factors in schedules:
    out.append(f"    {{ {words(text)},\n      {numbers(factors)} }},")
out.append("};")
pathlib.Path(__file__).with_name("goldens.h").write_text("\n".join(out) + "\n")
