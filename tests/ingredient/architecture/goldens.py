"""What make_goldens_<name>.py share: tensors filled from the formula of golden.h (ORDER golden), and a file of goldens."""
import pathlib

import numpy as np
import torch

torch.set_default_dtype(torch.float64)


def uniform(test, tensor, n):
    """Elements 0 .. n-1, in [0, 1)."""
    h = 14695981039346656037
    for c in f"{test}.{tensor}".encode():
        h = ((h ^ c) * 1099511628211) % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(h) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53


class Case:
    """One network: p(name, shape) is a parameter, x its input; finish(output) writes the goldens down."""

    rows = []

    def __init__(self, test, shape, vocabulary=0):
        self.test, self.parameters = test, {}
        u = uniform(test, "x", int(np.prod(shape)))
        if vocabulary:
            self.x = torch.from_numpy(np.floor(vocabulary * u).astype(np.int64)).reshape(shape)
        else:
            self.x = torch.from_numpy(np.sqrt(3.0) * (2.0 * u - 1.0)).reshape(shape).requires_grad_()

    def p(self, name, *shape):
        if name not in self.parameters:
            mean = 1.0 if name.endswith(".gain") else 0.0
            scale = np.sqrt(3.0 / np.prod(shape[1:])) if len(shape) > 1 else 0.3
            values = mean + scale * (2.0 * uniform(self.test, name, int(np.prod(shape))) - 1.0)
            self.parameters[name] = torch.from_numpy(values).reshape(shape).requires_grad_()
        return self.parameters[name]

    def row(self, name, tensor):
        values = tensor.detach().reshape(-1).numpy()
        direction = 2.0 * uniform(self.test, name + ".direction", values.size) - 1.0
        self.rows.append(
            f'GOLDEN("{self.test}", "{name}", {np.sqrt((values * values).sum()):.17g}, {(values * direction).sum():.17g})'
        )

    def finish(self, output):
        c = torch.from_numpy(2.0 * uniform(self.test, "c", output.numel()) - 1.0).reshape(output.shape)
        (output * c).sum().backward()
        self.row("output", output)
        for name, tensor in self.parameters.items():
            self.row(name, tensor.grad)
        if self.x.is_floating_point():
            self.row("x", self.x.grad)


def write(name):
    path = pathlib.Path(__file__).resolve().parent / f"goldens_{name}.def"
    head = [
        f"/* Made by make_goldens_{name}.py with PyTorch, in float64.",
        " * GOLDEN(test, tensor, length, product with a direction): of the output, else of the gradient */",
    ]
    path.write_text("\n".join(head + Case.rows) + "\n")
