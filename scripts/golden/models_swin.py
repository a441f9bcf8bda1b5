"""Golden values of Swin against torchvision, under the names of microsoft/Swin-Transformer.

torchvision's windows are as wide as its caller says and pad what they do not tile; here, as upstream, a
window is 1/32 of the image in pixels, for patches of four, and nothing is padded. No stochastic depth.
Run: python3 scripts/golden/models_swin.py
Made with Debian's python3-torch 1.13.1 and python3-torchvision 0.14.1, on one thread.
"""
import re

import torch
from torch.nn import functional
from torchvision.models.swin_transformer import SwinTransformer

from models_common import formula, images, number, summary, training_golden, write

CLASSES = 7


def upstream_name(name):
    """torchvision's name of a tensor or module, as microsoft/Swin-Transformer calls it."""
    name = re.sub(r"^features\.0\.0", "patch_embed.proj", name)
    name = re.sub(r"^features\.0\.2", "patch_embed.norm", name)
    name = re.sub(r"^features\.([1357])\.", lambda m: f"layers.{int(m[1]) // 2}.blocks.", name)
    name = re.sub(r"^features\.([246])\.", lambda m: f"layers.{int(m[1]) // 2 - 1}.downsample.", name)
    return name.replace(".mlp.0", ".mlp.fc1").replace(".mlp.3", ".mlp.fc2")


def build(width, depths, heads, patch, size):
    window = size // (patch * 8)
    model = SwinTransformer(
        patch_size=[patch, patch],
        embed_dim=width,
        depths=list(depths),
        num_heads=list(heads),
        window_size=[window, window],
        stochastic_depth_prob=0.0,
        num_classes=CLASSES,
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(formula(upstream_name(name), tuple(parameter.shape)))
    return model


def evaluate(model, size, batch):
    """The patchifier with its norm, then each block's attention and MLP before the residual sum."""
    observed = {}
    names = ["features.0"]
    for stage in (1, 3, 5, 7):
        for block in range(len(model.features[stage])):
            names += [f"features.{stage}.{block}.attn", f"features.{stage}.{block}.mlp"]
    for name in names:
        key = "patch_embed" if name == "features.0" else upstream_name(name)
        model.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, key=key: observed.__setitem__(key, output.flatten(1, 2).clone())
        )
    model.eval()
    with torch.no_grad():
        logits = model(images(batch, size))
    return {
        "size": size,
        "batch": batch,
        "logits": [number(x) for x in logits.flatten()],
        "taps": {
            key: {"value": summary(value), "embeddings": {"spatial": summary(value.mean(dim=1), 8)}}
            for key, value in observed.items()
        },
    }


def renamed(record):
    gradients = {upstream_name(key): value for key, value in record["gradients"].items()}
    return {**record, "gradients": gradients}


# At 64 pixels the micro variant's windows would coincide with the squares of the images: at 96 it is trained.
# Registered model: width, depths, heads, patch, size of evaluation, size of training.
CASES = {
    "swin_tiny": (96, (2, 2, 6, 2), (3, 6, 12, 24), 4, 224, 96),
    "swin_micro": (24, (1, 1, 2, 1), (1, 2, 4, 8), 2, 64, 96),
}


def main():
    torch.set_num_threads(1)
    for name, (width, depths, heads, patch, size, small) in CASES.items():
        model = build(width, depths, heads, patch, size)
        trained = build(width, depths, heads, patch, small)
        golden = {
            "classes": CLASSES,
            "names": [upstream_name(key) for key, _ in model.named_parameters()],
            "evaluation": evaluate(model, size, 2),
            "training": [renamed(training_golden(trained, small))],
        }
        write(name, golden)

    # Bias tables from windows of 7 x 7 to others, as Swin resizes them: bicubic, corners not aligned.
    stored = formula("relative_position_bias_table", (169, 3))
    tables = {}
    for window in (4, 8, 12):
        grid = stored.t().reshape(1, 3, 13, 13)
        size = 2 * window - 1
        resized = functional.interpolate(grid, size=(size, size), mode="bicubic", align_corners=False)
        tables[str(window)] = summary(resized.reshape(3, size * size).t(), 64)
    write("bias_tables", tables)


if __name__ == "__main__":
    main()
