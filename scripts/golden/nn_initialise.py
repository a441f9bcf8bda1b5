"""Seeded draws of torch.nn.init, for test/nn/initialise.test.ts.

Run with Debian's PyTorch 1.13: /usr/bin/python3 scripts/golden/nn_initialise.py
"""

import math

import torch
from torch import nn

from nn_common import pack, start, write


def drawn(seed, shape, fill):
    tensor = torch.zeros(shape)
    torch.manual_seed(seed)
    fill(tensor)
    return {"seed": seed, **pack(tensor)}


def layer(seed, make):
    torch.manual_seed(seed)
    module = make()
    return {"seed": seed, **{name: pack(value) for name, value in module.named_parameters()}}


start(5)
init = nn.init
write(
    "initialise",
    {
        "kaimingNormalFanOut": drawn(
            11, [4, 3, 3, 3], lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu")
        ),
        "kaimingNormalFanIn": drawn(
            12, [5, 8], lambda t: init.kaiming_normal_(t, mode="fan_in", nonlinearity="linear")
        ),
        "kaimingUniform": drawn(13, [4, 3, 3, 3], lambda t: init.kaiming_uniform_(t, a=math.sqrt(5))),
        "kaimingUniformRelu": drawn(
            14, [6, 4], lambda t: init.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu")
        ),
        "truncatedNormal": drawn(15, [6, 8], lambda t: init.trunc_normal_(t, std=0.02)),
        "truncatedNormalTight": drawn(
            16, [6, 8], lambda t: init.trunc_normal_(t, mean=0.5, std=1.0, a=-0.25, b=1.0)
        ),
        "linear": layer(17, lambda: nn.Linear(7, 5)),
        "convolution": layer(18, lambda: nn.Conv2d(3, 4, 3)),
    },
)
