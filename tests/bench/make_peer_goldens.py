#!/usr/bin/python3
"""Makes peer_goldens.h: what peer_torch.py's own workloads compute on inputs that both sides can make.

    tests/bench/make_peer_goldens.py [PEER]      PEER: $ORRERY_PEER, else ../shared/bench/peer_torch.py

The peer's functions are run as they stand, in float64: their tensors are overwritten with the numbers of a formula that
bench/workloads/workload.c shares (ORDER golden), the step is called, and what it leaves is written down in a few numbers a
tensor.  Where Orrery works in float32 the inputs are rounded to float32 first, so that only its own rounding is left."""
import importlib.util
import inspect
import os
import pathlib
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FLOAT32 = {"gd_fullbatch", "sgd_minibatch", "hvp", "cnn_step", "transformer_step", "ntk_gram", "per_example_grads", "agop"}
CALLS = {"cnn_step": 3, "transformer_step": 3}  # calls of the peer's step, else 1
UNITS = {"gd_fullbatch": 5, "sgd_minibatch": 5, "tiny_net": 200, "tiny_ensemble": 50, "online_sgd": 200}  # units a call, else 1


# ---- the shared formula ----------------------------------------------------------------------------------------------
def stream(workload, name):
    h = 14695981039346656037
    for c in f"{workload}.{name}".encode():
        h = ((h ^ c) * 1099511628211) % 2**64
    return h


def uniform(workload, name, n):
    """Elements 0 .. n-1, in [0, 1)."""
    with np.errstate(over="ignore"):
        z = np.uint64(stream(workload, name)) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53


class Filler:
    """Fills tensors of one workload in place, and keeps what they were before the run."""

    def __init__(self, workload):
        self.workload, self.before = workload, {}

    def put(self, name, tensor, values):
        values = np.asarray(values, dtype=np.float64)
        if self.workload in FLOAT32:
            values = values.astype(np.float32).astype(np.float64)
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(values).reshape(tensor.shape))
        self.before[name] = values.reshape(-1).copy()

    def normal(self, name, tensor, scale=1.0):
        u = uniform(self.workload, name, tensor.numel())
        self.put(name, tensor, scale * (np.sqrt(3.0) * (2.0 * u - 1.0)))

    def uniform(self, name, tensor, scale):
        self.put(name, tensor, scale * (2.0 * uniform(self.workload, name, tensor.numel()) - 1.0))

    def integer(self, name, tensor, below):
        self.put(name, tensor, np.floor(below * uniform(self.workload, name, tensor.numel())))

    def one_hot(self, name, tensor):
        rows, classes = tensor.shape
        self.put(name, tensor, np.eye(classes)[np.floor(classes * uniform(self.workload, name, rows)).astype(int)])

    def layer(self, weight, bias, module):
        scale = 1.0 / np.sqrt(module.weight[0].numel())
        self.uniform(weight, module.weight, scale)
        if module.bias is not None:
            self.uniform(bias, module.bias, scale)


# ---- which of the peer's tensors is which input ------------------------------------------------------------------------
def mlp(fill, net):
    layers = [m for m in net if hasattr(m, "weight")]
    for i, m in enumerate(layers):
        fill.layer(f"w{i}", f"b{i}", m)
    return {f"{kind}{i}": p for i, m in enumerate(layers) for kind, p in (("w", m.weight), ("b", m.bias))}


def prepare(name, fill, v):
    """Fills the tensors v that the peer's step holds; returns those that the step changes."""
    if name in ("gd_fullbatch", "hvp"):
        watched = mlp(fill, v["net"])
        fill.normal("x", v["x"])
        fill.one_hot("y", v["y"])
        if name == "hvp":
            for key, tensor in zip(watched, v["vs"]):
                fill.normal("v." + key, tensor)
        return watched if name == "gd_fullbatch" else {}
    if name in ("sgd_minibatch", "cnn_step"):
        watched = mlp(fill, v["net"])
        fill.normal("x", v["x"])
        fill.integer("y", v["y"], 10)
        return watched
    if name in ("tiny_net", "tiny_ensemble"):
        watched = {"w1": v["w1"], "w2": v["w2"]}
        for key, tensor in watched.items():
            fill.normal(key, tensor, 0.1)
        for key in ("x", "y"):
            fill.normal(key, v[key] if name == "tiny_net" else v[key][0])  # the ensemble's are one, expanded
        return watched
    if name == "online_sgd":
        fill.normal("w", v["w"])
        fill.normal("b", v["b"])
        inputs = torch.empty(UNITS[name] + 1, v["d"])
        fill.normal("x", inputs)
        fresh = iter(inputs)
        torch.randn = lambda *shape: next(fresh).clone()  # step k draws elements k d .. (k + 1) d - 1
        return {"w": v["w"], "v": v["v"]}
    if name == "transformer_step":
        return prepare_transformer(fill, v)
    if name in ("ntk_gram", "per_example_grads"):
        for i in range(3):
            scale = 1.0 / np.sqrt(v["params"][2 * i].shape[1])
            fill.uniform(f"w{i}", v["params"][2 * i], scale)
            fill.uniform(f"b{i}", v["params"][2 * i + 1], scale)
        fill.normal("x", v["x"])
        if name == "per_example_grads":
            fill.integer("y", v["y"], 10)
        return {}
    if name == "agop":
        mlp(fill, v["net"])
        fill.normal("x", v["x"])
        return {}
    if name == "krr_curve":
        fill.normal("x", v["x"])
        fill.normal("y", v["y"])
        return {}
    raise SystemExit(f"no inputs known for {name}")


def prepare_transformer(fill, v):
    fill.normal("emb.weight", v["emb"].weight)
    fill.normal("pos", v["pos"], 0.02)
    watched = {"emb.weight": v["emb"].weight, "pos": v["pos"]}
    for i, block in enumerate(v["blocks"]):
        for part in ("n1", "qkv", "o", "n2", "up", "down"):
            module, prefix = getattr(block, part), f"blocks.{i}.{part}."
            if part not in ("n1", "n2"):
                fill.layer(prefix + "weight", prefix + "bias", module)
            watched[prefix + "weight"], watched[prefix + "bias"] = module.weight, module.bias
    fill.layer("head.weight", None, v["head"])
    fill.integer("t", v["t"], 96)
    watched.update({"ln.weight": v["ln"].weight, "ln.bias": v["ln"].bias, "head.weight": v["head"].weight})
    for key, tensor in watched.items():
        fill.before.setdefault(key, tensor.detach().numpy().reshape(-1).copy())
    # Softmax doesn't see the bias of the keys: its gradient is rounding, which Adam divides by itself.
    return {k: t for k, t in watched.items() if not k.endswith("qkv.bias")}


# ---- running -------------------------------------------------------------------------------------------------------------
class Spy:
    """Remembers the loss that was differentiated last, the last derivatives, the solutions of linear systems."""

    def __init__(self):
        self.solutions, real_solve = [], torch.linalg.solve

        def solve(*args):
            self.solutions.append(real_solve(*args))
            return self.solutions[-1]

        torch.linalg.solve = solve
        self.loss = self.derivatives = None
        real_grad, real_backward = torch.autograd.grad, torch.Tensor.backward

        def grad(outputs, *args, **kwargs):
            self.loss = outputs.detach() if isinstance(outputs, torch.Tensor) else None
            self.derivatives = real_grad(outputs, *args, **kwargs)
            return self.derivatives

        def backward(tensor, *args, **kwargs):
            self.loss = tensor.detach()
            return real_backward(tensor, *args, **kwargs)

        torch.autograd.grad, torch.Tensor.backward = grad, backward


def numbers(workload, name, values, before):
    """Four numbers of a tensor's change (or of the tensor, where it was nothing before): norm, projection on a
    direction that the formula makes, first and last element; then the norm of what was there before."""
    values = values.detach().numpy().reshape(-1)
    change = values - before if before is not None else values
    direction = 2.0 * uniform(workload, "along " + name, len(values)) - 1.0
    was = 0.0 if before is None else float(np.linalg.norm(before))
    return [float(np.linalg.norm(change)), float(change @ direction), float(change[0]), float(change[-1]), was]


def run(peer, name):
    taken = {}
    randn, grad, backward, solve = torch.randn, torch.autograd.grad, torch.Tensor.backward, torch.linalg.solve
    getattr(peer, name)(lambda n, unit, step, units: taken.update(step=step, units=units))
    assert taken["units"] == UNITS.get(name, 1), f"the peer's {name} now has {taken['units']} units a call"
    held = inspect.getclosurevars(taken["step"]).nonlocals
    fill, spy = Filler(name), Spy()
    watched = prepare(name, fill, held)
    for key, tensor in watched.items():
        fill.before.setdefault(key, tensor.detach().numpy().reshape(-1).copy())
    for _ in range(CALLS.get(name, 1)):
        result = taken["step"]()
    torch.randn, torch.autograd.grad, torch.Tensor.backward, torch.linalg.solve = randn, grad, backward, solve
    units = CALLS.get(name, 1) * taken["units"]
    rows = []
    if watched and name != "tiny_ensemble":  # the peer sums the losses of the ensemble, Orrery has one a seed
        rows.append((name, units, "loss", numbers(name, "loss", spy.loss, None)))
    rows += [(name, units, key, numbers(name, key, tensor, fill.before[key])) for key, tensor in watched.items()]
    if name == "hvp":
        keys = ("w0", "b0", "w1", "b1", "w2", "b2")
        rows += [(name, units, "hv." + k, numbers(name, "hv." + k, t, None)) for k, t in zip(keys, spy.derivatives)]
    for workload, output in (("ntk_gram", "gram"), ("per_example_grads", "norms"), ("agop", "agop")):
        if name == workload:
            rows.append((name, units, output, numbers(name, output, result, None)))
    if name == "krr_curve":  # the peer throws its errors away: from its solutions once more
        x, y = held["x"], held["y"]
        K = torch.exp(-torch.cdist(x, x) / 28.0)
        errors = [((K[len(a):, :len(a)] @ a - y[len(a):]) ** 2).mean() for a in spy.solutions]
        columns = [torch.nn.functional.pad(a[:, 0], (0, len(x) - len(a))) for a in spy.solutions]
        rows.append((name, units, "errors", numbers(name, "errors", torch.stack(errors), None)))
        rows.append((name, units, "a", numbers(name, "a", torch.stack(columns, 1), None)))
    return rows


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ORRERY_PEER", ROOT.parent / "shared/bench/peer_torch.py")
    if not pathlib.Path(path).is_file():
        sys.exit(f"make_peer_goldens: no peer at {path}; name it as an argument or in ORRERY_PEER")
    spec = importlib.util.spec_from_file_location("peer_torch", path)
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    torch.set_default_dtype(torch.float64)
    lines = []
    for name in [*UNITS, "hvp", "cnn_step", "transformer_step", "ntk_gram", "per_example_grads", "agop", "krr_curve"]:
        for workload, units, what, values in run(peer, name):
            lines.append(f'GOLDEN({workload}, {units}, "{what}", ' + ", ".join(f"{x:.17g}" for x in values) + ")\n")
    (HERE / "peer_goldens.def").write_text(
        "/* Made by make_peer_goldens.py from the peer's own functions, in float64.\n"
        " * GOLDEN(workload, units run, tensor, |change|, change . direction, first, last, |before|) */\n" + "".join(lines))


main()
