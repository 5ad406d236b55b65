#!/usr/bin/python3
"""Makes goldens_resnet.def: residual networks of test_resnet.c as PyTorch computes them.

    tests/ingredient/architecture/make_goldens_resnet.py"""
import torch.nn.functional as F
from goldens import Case, write


def resnet(test, shape, channels, blocks, norm, act, last_act, exponent, bias, outputs, stem=3, stem_stride=1, image=None):
    case = Case(test, shape)

    def conv(name, h, out, kernel, stride):
        b = case.p(f"{name}.bias", out) if norm == "none" and bias else None
        w = case.p(f"{name}.weight", out, h.shape[1], kernel, kernel)
        h = F.conv2d(h, w, b, stride=stride, padding=kernel // 2)  # odd kernels only
        if norm == "none":
            return h
        gain, bias_ = case.p(f"{name}.norm.gain", out), case.p(f"{name}.norm.bias", out)
        if norm == "batch":
            return F.batch_norm(h, None, None, gain, bias_, training=True)
        return F.group_norm(h, 1, gain, bias_)

    h = case.x.reshape(image) if image else case.x
    h = act(conv("stem", h, channels[0], stem, stem_stride))
    number, total = 0, sum(blocks)
    for stage, (out, n) in enumerate(zip(channels, blocks)):
        for b in range(n):
            number += 1
            stride = 2 if stage > 0 and b == 0 else 1
            branch = act(conv(f"block{number}.first", h, out, 3, stride))
            branch = conv(f"block{number}.second", branch, out, 3, 1)
            if stride != 1 or h.shape[1] != out:
                h = conv(f"block{number}.shortcut", h, out, 1, stride)
            h = h + branch / total**exponent
            h = act(h) if last_act else h
    h = F.adaptive_avg_pool2d(h, 1).flatten(1)
    case.finish(F.linear(h, case.p("readout.weight", outputs, h.shape[1]), case.p("readout.bias", outputs) if bias else None))


resnet("batch", (4, 3, 6, 5), [4, 6], [2, 1], "batch", F.relu, True, 0.0, True, 3)
resnet("layer", (3, 64), [3, 3, 4], [1, 1, 1], "layer", F.gelu, False, 0.5, True, 2, 5, 2, image=(3, 1, 8, 8))
resnet("none", (2, 2, 5, 5), [3, 2], [1, 2], "none", F.silu, True, 1.0, True, 2)
resnet("no_bias", (2, 2, 4, 4), [2], [1], "none", F.relu, True, 0.0, False, 2)
write("resnet")
