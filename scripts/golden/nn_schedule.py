"""Learning-rate traces of PyTorch's own schedulers, for test/nn/schedule.test.ts.

Run with Debian's PyTorch 1.13: /usr/bin/python3 scripts/golden/nn_schedule.py
"""

import random

import torch
from torch.optim.lr_scheduler import LinearLR, ReduceLROnPlateau

from nn_common import start, write


def optimiser(rate):
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)


class Watched(ReduceLROnPlateau):
    """Says when a plateau came and nothing was left to reduce."""

    exhausted = False

    def _reduce_lr(self, epoch):
        before = [group["lr"] for group in self.optimizer.param_groups]
        super()._reduce_lr(epoch)
        if before == [group["lr"] for group in self.optimizer.param_groups]:
            self.exhausted = True


def plateau(base, seed, factor=0.1, patience=3, minimum=1e-6, climb=0.0):
    """Noisy metrics that climb for 25 evaluations, rounded so that ties come up, until exhausted."""
    generator = random.Random(seed)
    held = optimiser(base)
    schedule = Watched(
        held, mode="max", factor=factor, patience=patience, threshold=0.0, min_lr=minimum
    )
    metrics, rates = [], []
    while not schedule.exhausted:
        metric = round(generator.gauss(0, 0.2) + climb * min(len(metrics), 25), 1)
        schedule.step(metric)
        metrics.append(metric)
        rates.append(held.param_groups[0]["lr"])
    return {
        "options": {
            "baseLearningRate": base,
            "factor": factor,
            "patience": patience,
            "minLearningRate": minimum,
        },
        "metrics": metrics,
        "rates": rates,
    }


def warmup(base, iterations):
    """One rate an update, four updates beyond the end."""
    held = optimiser(base)
    schedule = LinearLR(held, start_factor=1 / iterations, total_iters=iterations - 1)
    rates = []
    for _ in range(iterations + 4):
        rates.append(held.param_groups[0]["lr"])
        held.step()
        schedule.step()
    return {"baseLearningRate": base, "warmupIterations": iterations, "rates": rates}


start(4)
write(
    "schedule",
    {
        "plateau": [
            plateau(1e-4, 0),
            plateau(3e-4, 1),
            plateau(1e-4, 2, climb=0.06),
            plateau(3e-4, 3, climb=0.1),
            plateau(1e-2, 4, factor=0.5, patience=0, minimum=1e-4),
            plateau(5e-3, 5, factor=0.3, patience=1, minimum=0.0001),
        ],
        "warmup": [warmup(1e-4, 10), warmup(3e-4, 7)],
    },
)
