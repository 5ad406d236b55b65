#!/usr/bin/python3
"""Writes models.h: losses, gradients and Hessian-vector products of whole models, by PyTorch in float64.

    /usr/bin/python3 tests/tensor/goldens/make_torch_goldens.py        (Debian's python3-torch, 1.13)

Nothing but results is stored.  Parameters, directions and data are a function of their place in a count that
tests/tensor/test_models.c makes too: number k is fraction(k) = hash(k) / 2^32 - 1/2, scaled.  An array of models.h is

    loss, then for each parameter its gradient, then for each parameter its part of H v

in the order in which the model asks for them.  Hessian-vector products are PyTorch's double backward, which is sound at
second order; third derivatives have other references (test_compose.c).  Where a layer of ours has no counterpart in
torch 1.13 (attention, RMS norm), its printed formula stands here.
"""
import pathlib
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def fraction(k):
    """hash(k) / 2^32 - 1/2: two rounds of multiply and fold, on 32 bits (the same in test_models.c)"""
    h = (k * 2654435761 + 0x9E3779B9) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 2246822519) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 3266489917) & 0xFFFFFFFF
    return (h ^ (h >> 16)) / 2**32 - 0.5


class Numbers:
    def __init__(self):
        self.k, self.parameters, self.directions = 0, [], []

    def draw(self, shape, scale, shift=0.0):
        n = torch.Size(shape).numel()
        values = [shift + scale * fraction(self.k + i) for i in range(n)]
        self.k += n
        return torch.tensor(values).reshape(shape)

    def data(self, *shape):
        return self.draw(shape, 4.0)

    def index(self, below, *shape):
        return ((self.draw(shape, 1.0) + 0.5) * below).long()

    def parameter(self, *shape, scale=1.0, shift=0.0):
        p = self.draw(shape, scale, shift).requires_grad_()
        self.directions.append(self.draw(shape, 1.0))
        self.parameters.append(p)
        return p


def linear(n, x, out, bias=True):
    w = n.parameter(out, x.shape[-1], scale=2.0 / x.shape[-1] ** 0.5)
    return F.linear(x, w, n.parameter(out) if bias else None)


def layer_norm(n, x):
    d = x.shape[-1]
    gain, bias = n.parameter(d, shift=1.0), n.parameter(d)
    return F.layer_norm(x, (d,), gain, bias, 1e-5)


def batch_norm(n, x):
    c = x.shape[1]
    gain, bias = n.parameter(c, shift=1.0), n.parameter(c)
    return F.batch_norm(x, None, None, gain, bias, training=True, eps=1e-5)


def rms_norm(n, x):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-6) * n.parameter(x.shape[-1], shift=1.0)


def attention(q, k, v, causal):
    z = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if causal:
        t, s = z.shape[-2:]
        z = z.masked_fill(torch.arange(s)[None, :] > torch.arange(t)[:, None], float("-inf"))
    return torch.softmax(z, -1) @ v


def heads(x, h):
    return x.reshape(*x.shape[:-1], h, x.shape[-1] // h).transpose(1, 2)


def mlp(n):
    x, y = n.data(6, 5), n.data(6, 3)
    x = F.gelu(linear(n, x, 7))
    x = torch.tanh(linear(n, x, 8))
    x = F.softplus(linear(n, x, 6), threshold=1000.0)
    x = F.relu(linear(n, x, 7))
    x = linear(n, F.silu(linear(n, x, 5, bias=False)), 3)
    return ((x - y) ** 2).sum() / (2 * 6)


def convolutional(n):
    x, y = n.data(3, 4, 9, 8), n.index(5, 3)
    x = F.conv2d(x, n.parameter(6, 2, 3, 3), n.parameter(6), stride=(2, 1), padding=(1, 2), groups=2)
    x = F.avg_pool2d(F.gelu(x), 3, stride=2, padding=1)
    x = F.conv2d(x, n.parameter(4, 6, 3, 3, scale=0.5), n.parameter(4), dilation=2, padding=2)
    x = F.max_pool2d(F.silu(x), (3, 2), stride=(1, 2), padding=(1, 0))
    x = F.interpolate(x, scale_factor=2, mode="nearest")
    x = F.max_pool2d(torch.tanh(F.conv2d(x, n.parameter(4, 1, 2, 3), None, groups=4)), 2)
    x = F.conv1d(x.reshape(3, 4, -1), n.parameter(3, 4, 2, scale=0.5), n.parameter(3), stride=2, padding=1)
    return F.cross_entropy(linear(n, x.reshape(3, -1), 5), y)


def transformer(n):
    d, h, t, vocabulary = 8, 2, 6, 11
    tokens, targets = n.index(vocabulary, 2, t), n.index(vocabulary, 2, t)
    x = F.embedding(tokens, n.parameter(vocabulary, d, scale=2.0)) + n.parameter(t, d)
    for _ in range(2):
        q, k, v = (heads(part, h) for part in linear(n, layer_norm(n, x), 3 * d).split(d, -1))
        x = x + linear(n, attention(q, k, v, True).transpose(1, 2).reshape(2, t, d), d)
        x = x + linear(n, F.gelu(linear(n, layer_norm(n, x), 2 * d)), d)
    return F.cross_entropy(linear(n, layer_norm(n, x), vocabulary).reshape(-1, vocabulary), targets.reshape(-1))


def encoder(n):
    d, h = 6, 3
    x, memory, targets = n.data(2, 4, d), n.data(2, 5, d), n.data(2, 4, d)
    q = heads(linear(n, rms_norm(n, x), d, bias=False), h)
    k = heads(linear(n, rms_norm(n, memory), d, bias=False), h)
    v = heads(linear(n, memory, d, bias=False), h)
    x = x + linear(n, attention(q, k, v, False).transpose(1, 2).reshape(2, 4, d), d)
    x = x + linear(n, F.gelu(linear(n, rms_norm(n, x), 10), approximate="tanh"), d)
    return (torch.logsumexp(x, -1) - (F.softmax(targets, -1) * x).sum(-1)).mean()


def batch_normalised(n):
    x, y = n.data(5, 3, 4, 4), n.index(3, 5)
    x = F.silu(batch_norm(n, F.conv2d(x, n.parameter(4, 3, 3, 3), None, padding=1)))
    x = torch.tanh(batch_norm(n, F.conv2d(x, n.parameter(5, 4, 3, 3), None, padding=1)))
    x = F.avg_pool2d(x, 4).reshape(5, 5)
    x = F.gelu(batch_norm(n, linear(n, x, 6, bias=False)))
    return F.cross_entropy(linear(n, x, 3), y)


def results(model):
    n = Numbers()
    loss = model(n)
    gradients = torch.autograd.grad(loss, n.parameters, create_graph=True)
    along = sum((g * v).sum() for g, v in zip(gradients, n.directions))
    products = torch.autograd.grad(along, n.parameters)
    return torch.cat([loss.detach().reshape(1)] + [p.detach().reshape(-1) for p in gradients + products]).tolist()


def main():
    lines = ["/* Made by make_torch_goldens.py with PyTorch %s; not edited by hand. */" % torch.__version__.split("+")[0],
             "#ifndef ORR_TESTS_TENSOR_GOLDENS_MODELS_H", "#define ORR_TESTS_TENSOR_GOLDENS_MODELS_H", "// clang-format off"]
    for model in (mlp, convolutional, transformer, encoder, batch_normalised):
        values = results(model)
        lines.append("static const double golden_%s[%d] = {" % (model.__name__, len(values)))
        for i in range(0, len(values), 5):
            lines.append(" ".join("%.17g," % v for v in values[i:i + 5]))
        lines.append("};")
    lines += ["// clang-format on", "#endif"]
    pathlib.Path(__file__).with_name("models.h").write_text("\n".join(lines) + "\n")


main()
