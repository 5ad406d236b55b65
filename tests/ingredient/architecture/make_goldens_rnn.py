#!/usr/bin/python3
"""Makes goldens_rnn.def: recurrent networks of test_rnn.c as PyTorch's RNN and GRU compute them.

    tests/ingredient/architecture/make_goldens_rnn.py"""
import torch
import torch.nn.functional as F
from goldens import Case, write


def rnn(test, shape, cell, width, depth, outputs, vocabulary=0, sequence=False, bias=True):
    case = Case(test, shape, vocabulary)
    gates = 3 if cell == "gru" else 1
    h = F.embedding(case.x, case.p("embedding.weight", vocabulary, width)) if vocabulary else case.x
    weights = []  # as PyTorch wants them: weight_ih, weight_hh, bias_ih, bias_hh of each layer
    for l in range(1, depth + 1):
        weights.append(case.p(f"layer{l}.input.weight", gates * width, h.shape[-1] if l == 1 else width))
        weights.append(case.p(f"layer{l}.state.weight", gates * width, width))
        if bias:
            weights.append(case.p(f"layer{l}.bias", gates * width))
            zeros = torch.zeros((2 if cell == "gru" else 1) * width)
            weights.append(torch.cat([zeros, case.p(f"layer{l}.state.bias", width)]) if cell == "gru" else zeros)
    run = torch.gru if cell == "gru" else torch.rnn_tanh
    h, _ = run(h, torch.zeros(depth, shape[0], width), weights, bias, depth, 0.0, True, False, True)
    h = h if sequence else h[:, -1]
    case.finish(F.linear(h, case.p("readout.weight", outputs, width), case.p("readout.bias", outputs) if bias else None))


rnn("vanilla", (3, 4, 2), "vanilla", 5, 2, 3)
rnn("vanilla_tokens", (2, 5), "vanilla", 4, 1, 6, vocabulary=6, sequence=True, bias=False)
rnn("gru", (2, 5, 3), "gru", 4, 1, 2, sequence=True)
rnn("gru_tokens", (3, 4), "gru", 3, 2, 2, vocabulary=7)
rnn("gru_plain", (2, 1, 3), "gru", 4, 2, 2, bias=False)
write("rnn")
