"""Losses and their gradients, for test/nn/losses.test.ts.

Run with Debian's PyTorch 1.13: /usr/bin/python3 scripts/golden/nn_losses.py
"""

import torch
import torch.nn.functional as F

from nn_common import pack, start, write


def cross_entropy():
    records = []
    for smoothing, scale in ((0.0, 1.0), (0.0, 40.0), (0.1, 3.0)):
        logits = (torch.randn(6, 5) * scale).requires_grad_()
        labels = torch.randint(5, (6,))
        loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
        loss.backward()
        records.append(
            {
                "labelSmoothing": smoothing,
                "logits": pack(logits),
                "labels": pack(labels),
                "loss": pack(loss),
                "gradient": pack(logits.grad),
            }
        )
    return records


def binary_cross_entropy():
    """The masked mean is taken here by picking the known elements out."""
    records = []
    for masked, scale in ((False, 1.0), (False, 60.0), (True, 2.0)):
        logits = (torch.randn(6, 4) * scale).requires_grad_()
        targets = torch.randint(2, (6, 4)).float()
        mask = (torch.rand(6, 4) < 0.6).float()
        each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        loss = each[mask.bool()].mean() if masked else each.mean()
        loss.backward()
        records.append(
            {
                "logits": pack(logits),
                "targets": pack(targets),
                "mask": pack(mask) if masked else None,
                "loss": pack(loss),
                "gradient": pack(logits.grad),
            }
        )
    return records


start(2)
write(
    "losses",
    {"crossEntropy": cross_entropy(), "binaryCrossEntropy": binary_cross_entropy()},
)
