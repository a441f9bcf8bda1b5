#!/usr/bin/env python3
"""Losses of the first training steps in PyTorch: same weights, same batches, no augmentation.

Small cases go to test/golden/train/losses.json. `--full FILE` writes those of ResNet-50 and DeiT-S at
224 px instead, which scripts/parity.sh compares. Weights and images are those of models_common.py.

CNNs run channels-last on both sides. Adam's first steps have nearly the size of the learning rate for
every weight, whatever the size of its gradient, so that rounding in gradients near zero grows: PyTorch's
own losses of ResNet-18 at 1e-4 differ by 5e-4 between memory formats after four steps, at 1e-5 by 1e-5.
Run: /usr/bin/python3 scripts/golden/train_losses.py
"""
import json
import pathlib
import sys

import torch
import torchvision

from models_common import fill, images
from models_deit import VisionTransformer

OUT = pathlib.Path(__file__).resolve().parents[2] / "test/golden/train/losses.json"
STEPS = 5
CLASSES = 7

# name: model, pixels, batch, optimiser, learning rate, weight decay, largest gradient norm, task
SMALL = {
    "resnet18, adam": ("resnet18", 64, 8, "adam", 1e-5, 0.01, 1.0, "multiclass"),
    "resnet18, adamw": ("resnet18", 64, 8, "adamw", 1e-5, 0.01, 1.0, "multiclass"),
    "deit_micro, adamw": ("deit_micro", 64, 8, "adamw", 1e-3, 0.05, 1.0, "multiclass"),
    "deit_micro, adamw, not clipped": ("deit_micro", 64, 8, "adamw", 1e-3, 0.05, None, "multiclass"),
    "deit_micro, multi-label": ("deit_micro", 64, 8, "adamw", 1e-3, 0.05, 0.5, "multilabel"),
    "deit_micro, binary": ("deit_micro", 64, 8, "adamw", 1e-3, 0.05, 1.0, "binary"),
}
FULL = {
    "resnet50": ("resnet50", 224, 16, "adamw", 1e-4, 1e-5, 1.0, "multiclass"),
    "deit_small": ("deit_small", 224, 16, "adamw", 1e-4, 1e-5, 1.0, "multiclass"),
}
TRANSFORMERS = {"deit_micro": (96, 6, 3, 8), "deit_small": (384, 12, 6, 16)}


def build(name, size, outputs):
    if name in TRANSFORMERS:
        return fill(VisionTransformer(*TRANSFORMERS[name], size, outputs))
    return fill(getattr(torchvision.models, name)(num_classes=outputs))


def optimiser_of(model, name, rate, decay):
    exempt = [p for n, p in model.named_parameters() if p.ndim <= 1 or n.endswith(".bias")]
    ids = {id(p) for p in exempt}
    decayed = [p for p in model.parameters() if id(p) not in ids]
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    groups = [{"params": decayed, "weight_decay": decay}, {"params": exempt, "weight_decay": 0}]
    return kind(groups, lr=rate, betas=(0.9, 0.999), eps=1e-8)


def loss_of(logits, step, batch, task):
    """Labels are formulas too: see labelsOf in test/train/parityCases.ts."""
    if task == "multiclass":
        labels = torch.tensor([(3 * i + 5 * step) % CLASSES for i in range(batch)])
        return torch.nn.functional.cross_entropy(logits, labels)
    if task == "binary":
        labels = torch.tensor([float((i + step) % 2) for i in range(batch)])[:, None]
    else:
        labels = torch.tensor([[float((i + j + step) % 3 == 0) for j in range(CLASSES)] for i in range(batch)])
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)


def losses(model, size, batch, optimiser, rate, decay, clip, task):
    network = build(model, size, 1 if task == "binary" else CLASSES).train()
    layout = torch.contiguous_format if model in TRANSFORMERS else torch.channels_last
    network = network.to(memory_format=layout)
    updates = optimiser_of(network, optimiser, rate, decay)
    values = []
    for step in range(STEPS):
        loss = loss_of(network(images(batch, size, f"input{step}").contiguous(memory_format=layout)), step, batch, task)
        updates.zero_grad()
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
        updates.step()
        values.append(float(f"{loss.item():.9g}"))
    return values


def main():
    full = len(sys.argv) == 3 and sys.argv[1] == "--full"
    out = pathlib.Path(sys.argv[2]) if full else OUT
    keys = ("model", "size", "batch", "optimizer", "learningRate", "weightDecay", "clipNorm", "task")
    cases = [
        {"name": name, **dict(zip(keys, case)), "losses": losses(*case)}
        for name, case in (FULL if full else SMALL).items()
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"torch": torch.__version__, "classes": CLASSES, "cases": cases}, indent=1)
    out.write_text(text + "\n")


if __name__ == "__main__":
    main()
