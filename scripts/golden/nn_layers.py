"""Layers forward and backward, for test/nn/layers.test.ts.

Run with Debian's PyTorch 1.13: /usr/bin/python3 scripts/golden/nn_layers.py
"""

import torch
import torch.nn.functional as F
from torch import nn

from nn_common import pack, start, write


def record(module, inputs, options):
    """One forward and backward with random parameters: loss = sum(output * upstream)."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()
    inputs = inputs.clone().requires_grad_()
    output = module(inputs)
    upstream = torch.randn_like(output)
    output.backward(upstream)
    return {
        "options": options,
        "state": {name: pack(value) for name, value in module.named_parameters()},
        "input": pack(inputs),
        "output": pack(output),
        "upstream": pack(upstream),
        "gradients": {
            "input": pack(inputs.grad),
            **{name: pack(value.grad) for name, value in module.named_parameters()},
        },
    }


def linear():
    return [
        record(nn.Linear(5, 4), torch.randn(3, 5), {"inputs": 5, "outputs": 4, "bias": True}),
        record(
            nn.Linear(5, 2, bias=False),
            torch.randn(2, 3, 5),
            {"inputs": 5, "outputs": 2, "bias": False},
        ),
    ]


def convolution():
    cases = [
        {"inputs": 3, "outputs": 4, "kernel": 3, "padding": 1},
        {"inputs": 3, "outputs": 2, "kernel": 3, "stride": 2, "padding": 1, "bias": False},
        {"inputs": 4, "outputs": 6, "kernel": 3, "padding": 2, "dilation": 2, "groups": 2},
        {"inputs": 2, "outputs": 3, "kernel": [1, 5], "padding": [0, 2], "stride": [2, 1]},
        {"inputs": 3, "outputs": 5, "kernel": 1, "bias": False},
    ]
    records = []
    for case in cases:
        renamed = {"in_channels": case["inputs"], "out_channels": case["outputs"]}
        renamed["kernel_size"] = case["kernel"]
        others = {k: v for k, v in case.items() if k not in ("inputs", "outputs", "kernel")}
        module = nn.Conv2d(**renamed, **others)
        records.append(record(module, torch.randn(2, case["inputs"], 7, 6), case))
    return records


def batch_norm():
    """Three training batches one after another, then evaluation."""
    records = []
    for options in ({}, {"epsilon": 1e-3, "momentum": 0.25}):
        module = nn.BatchNorm2d(
            3, eps=options.get("epsilon", 1e-5), momentum=options.get("momentum", 0.1)
        )
        with torch.no_grad():
            module.weight.normal_()
            module.bias.normal_()
        state = {name: pack(value) for name, value in module.named_parameters()}
        batches = []
        for index in range(3):
            module.zero_grad()
            inputs = (torch.randn(2, 3, 4, 2) * (index + 1) + index).requires_grad_()
            output = module(inputs)
            upstream = torch.randn_like(output)
            output.backward(upstream)
            batches.append(
                {
                    "input": pack(inputs),
                    "output": pack(output),
                    "upstream": pack(upstream),
                    "gradients": {
                        "input": pack(inputs.grad),
                        "weight": pack(module.weight.grad),
                        "bias": pack(module.bias.grad),
                    },
                    "buffers": {name: pack(value) for name, value in module.named_buffers()},
                }
            )
        module.eval()
        module.zero_grad()
        inputs = torch.randn(2, 3, 4, 2).requires_grad_()
        output = module(inputs)
        upstream = torch.randn_like(output)
        output.backward(upstream)
        records.append(
            {
                "options": options,
                "state": state,
                "training": batches,
                "evaluation": {
                    "input": pack(inputs),
                    "output": pack(output),
                    "upstream": pack(upstream),
                    "gradients": {
                        "input": pack(inputs.grad),
                        "weight": pack(module.weight.grad),
                        "bias": pack(module.bias.grad),
                    },
                },
            }
        )
    return records


def layer_norm():
    return [
        record(nn.LayerNorm(6, eps=epsilon), torch.randn(2, 3, 6) * 2 + 1, options)
        for epsilon, options in ((1e-5, {}), (1e-6, {"epsilon": 1e-6}), (1e-1, {"epsilon": 1e-1}))
    ]


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, inputs):
        return self.function(inputs)


def functions():
    wide = torch.linspace(-6, 6, 41)
    return {
        "relu": record(Function(F.relu), wide, {}),
        "gelu": record(Function(F.gelu), wide, {}),
        "softmax": record(Function(lambda x: x.softmax(-1)), torch.randn(3, 5) * 4, {}),
        "globalAveragePool": record(
            Function(lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1)), torch.randn(2, 3, 4, 5), {}
        ),
    }


def max_pool():
    records = []
    for options in (
        {"kernel": 3, "stride": 2, "padding": 1},
        {"kernel": 2},
        {"kernel": [3, 2], "stride": 3, "ceilMode": True},
    ):
        module = nn.MaxPool2d(
            options["kernel"],
            options.get("stride"),
            options.get("padding", 0),
            ceil_mode=options.get("ceilMode", False),
        )
        records.append(record(module, torch.randn(2, 2, 7, 6), options))
    return records


def attention():
    """The attention of timm's vision transformer, between its qkv and proj layers."""
    records = []
    for batch, tokens, heads, width in ((2, 7, 3, 4), (1, 5, 2, 8)):
        projection = torch.randn(batch, tokens, 3 * heads * width).requires_grad_()
        query, key, value = (
            projection.reshape(batch, tokens, 3, heads, width).permute(2, 0, 3, 1, 4).unbind(0)
        )
        weights = ((query @ key.transpose(-2, -1)) * width**-0.5).softmax(dim=-1)
        output = (weights @ value).transpose(1, 2).reshape(batch, tokens, heads * width)
        upstream = torch.randn_like(output)
        output.backward(upstream)
        records.append(
            {
                "heads": heads,
                "projection": pack(projection),
                "weights": pack(weights),
                "output": pack(output),
                "upstream": pack(upstream),
                "gradient": pack(projection.grad),
            }
        )
    return records


start(1)
write(
    "layers",
    {
        "linear": linear(),
        "convolution": convolution(),
        "batchNorm": batch_norm(),
        "layerNorm": layer_norm(),
        "functions": functions(),
        "maxPool": max_pool(),
        "attention": attention(),
    },
)
