"""Optimiser trajectories with groups, clipping and changing rates, for test/nn/optimisers.test.ts.

Run with Debian's PyTorch 1.13: /usr/bin/python3 scripts/golden/nn_optimisers.py

Gradients follow one formula, written here and in the test; a parameter in "absent" has none at the
steps that it names.
"""

import math

import torch

from nn_common import pack, start, write

SHAPES = {"conv.weight": [2, 3, 2, 2], "conv.bias": [2], "norm.weight": [4], "fc.weight": [4, 3]}
STEPS = 60
RECORDED = (1, 2, 10, 60)


def gradient(name, step):
    """scale(step) * sin(step * 0.7 + index * 0.31 + position), position that of the name in SHAPES."""
    position = list(SHAPES).index(name)
    count = math.prod(SHAPES[name])
    scale = 10.0 ** ((step % 4) - 2)
    values = [scale * math.sin(step * 0.7 + i * 0.31 + position) for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).float().reshape(SHAPES[name])


def trajectory(kind, groups, settings, clip=None, absent=None, rates=None):
    parameters = {name: torch.randn(shape).requires_grad_() for name, shape in SHAPES.items()}
    initial = {name: pack(parameter) for name, parameter in parameters.items()}
    torch_groups = []
    for group in groups:
        torch_group = {"params": [parameters[name] for name in group["parameters"]]}
        torch_group["weight_decay"] = group["weightDecay"]
        if "learningRate" in group:
            torch_group["lr"] = group["learningRate"]
        torch_groups.append(torch_group)
    optimiser = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind](
        torch_groups,
        lr=settings["learningRate"],
        betas=settings.get("betas", (0.9, 0.999)),
        eps=settings.get("epsilon", 1e-8),
    )
    norms, recorded = [], {}
    for step in range(1, STEPS + 1):
        if rates:
            for group, torch_group in zip(groups, optimiser.param_groups):
                if "learningRate" not in group:
                    torch_group["lr"] = rates[(step - 1) % len(rates)]
        for name, parameter in parameters.items():
            missing = absent is not None and step in absent.get(name, [])
            parameter.grad = None if missing else gradient(name, step)
        if clip is not None:
            norms.append(torch.nn.utils.clip_grad_norm_(parameters.values(), clip))
        optimiser.step()
        if step in RECORDED:
            recorded[step] = {name: pack(parameter) for name, parameter in parameters.items()}
    return {
        "kind": kind,
        "groups": groups,
        "settings": settings,
        "clip": clip,
        "absent": absent,
        "rates": rates,
        "initial": initial,
        "norms": pack(torch.stack(norms)) if norms else None,
        "parameters": recorded,
        "moments": {
            f"{name}.{key}": pack(optimiser.state[parameter][key])
            for name, parameter in parameters.items()
            for key in ("exp_avg", "exp_avg_sq", "step")
        },
    }


start(3)
decayed = {"parameters": ["conv.weight", "fc.weight"], "weightDecay": 0.05}
exempt = {"parameters": ["conv.bias", "norm.weight"], "weightDecay": 0.0}
own = {"parameters": ["conv.bias", "norm.weight"], "weightDecay": 0.0, "learningRate": 0.02}
everything = {"parameters": list(SHAPES), "weightDecay": 0.0}
write(
    "optimisers",
    {
        "shapes": SHAPES,
        "trajectories": [
            trajectory("adam", [everything], {"learningRate": 0.01}),
            trajectory("adam", [decayed, exempt], {"learningRate": 0.01}, clip=1.0),
            trajectory("adamw", [decayed, exempt], {"learningRate": 0.01}, clip=1.0),
            trajectory(
                "adamw",
                [decayed, own],
                {"learningRate": 0.01, "betas": [0.8, 0.99], "epsilon": 1e-4},
                clip=5.0,
                absent={"conv.bias": [1, 2, 3, 9], "fc.weight": [30]},
                rates=[0.003, 0.01, 0.001],
            ),
        ],
    },
)
