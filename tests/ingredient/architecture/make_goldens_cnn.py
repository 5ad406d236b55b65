#!/usr/bin/python3
"""Makes goldens_cnn.def: convolutional networks of test_cnn.c as PyTorch computes them.

    tests/ingredient/architecture/make_goldens_cnn.py"""
import torch
import torch.nn.functional as F
from goldens import Case, write


def cnn(test, shape, channels, kernel, stride, act, pad, pool, pool_size, average, bias, outputs, image=None):
    case = Case(test, shape)
    h = case.x.reshape(image) if image else case.x
    for l, c in enumerate(channels):
        w = case.p(f"layer{l + 1}.weight", c, h.shape[1], kernel[l], kernel[l])
        b = case.p(f"layer{l + 1}.bias", c) if bias else None
        if pad == "same":
            low, high = (kernel[l] - 1) // 2, kernel[l] // 2
            h = F.pad(h, (low, high, low, high))
        if pad == "circular":
            low, high = (kernel[l] - 1) // 2, kernel[l] // 2
            h = F.pad(h, (low, high, low, high), mode="circular")
        h = act(F.conv2d(h, w, b, stride=stride[l]))
        if pool == "max":
            h = F.max_pool2d(h, pool_size[l])
        if pool == "average":
            h = F.avg_pool2d(h, pool_size[l])
    h = h.mean(dim=(2, 3)) if average else h.flatten(1)
    out = F.linear(h, case.p("readout.weight", outputs, h.shape[1]), case.p("readout.bias", outputs) if bias else None)
    case.finish(out)


cnn("plain", (3, 2, 5, 6), [3, 4], [3, 3], [1, 1], torch.tanh, "same", "none", [], False, True, 2)
cnn("max", (2, 49), [3, 2], [3, 2], [1, 1], torch.relu, "same", "max", [2, 1], False, True, 3, image=(2, 1, 7, 7))
cnn("average", (2, 3, 15, 13), [4, 5], [3, 3], [2, 1], F.gelu, "valid", "average", [2, 1], True, False, 3)
cnn("strided", (2, 1, 8, 7), [4, 3, 2], [4, 3, 3], [2, 2, 1], F.silu, "same", "none", [], True, True, 2)
cnn("circular", (2, 2, 5, 6), [3, 4], [3, 4], [1, 2], torch.tanh, "circular", "none", [], False, True, 2)
write("cnn")
