"""Golden values of DeiT against a plain PyTorch vision transformer with timm's parameter names.

Written here from the published architecture (Dosovitskiy et al. 2021; Touvron et al. 2021, without
distillation token; LayerNorm eps 1e-6 as in timm).
Run: python3 scripts/golden/models_deit.py [model ...]; all models without a name.
Made with Debian's python3-torch 1.13.1, on one thread.
"""
import sys

import torch
from torch import nn
from torch.nn import functional

from models_common import fill, formula, images, number, summary, training_golden, write

CLASSES = 7


class PatchEmbedding(nn.Module):
    def __init__(self, width, patch):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, stride=patch)

    def forward(self, images):
        return self.proj(images).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.weights = nn.Identity()
        self.proj = nn.Linear(width, width)

    def forward(self, tokens):
        batch, count, width = tokens.shape
        split = self.qkv(tokens).reshape(batch, count, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        scores = query @ key.transpose(-2, -1) * (width // self.heads) ** -0.5
        mixed = self.weights(scores.softmax(dim=-1)) @ value
        return self.proj(mixed.transpose(1, 2).reshape(batch, count, width))


class Perceptron(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, tokens):
        return self.fc2(functional.gelu(self.fc1(tokens)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Perceptron(width)

    def forward(self, tokens):
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class VisionTransformer(nn.Module):
    def __init__(self, width, depth, heads, patch, size, classes):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (size // patch) ** 2, width))
        self.patch_embed = PatchEmbedding(width, patch)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, images):
        tokens = self.patch_embed(images)
        first = self.cls_token.expand(tokens.shape[0], -1, -1)
        tokens = torch.cat((first, tokens), dim=1) + self.pos_embed
        return self.head(self.norm(self.blocks(tokens))[:, 0])


def taps_of(model):
    """METHODS: the patchifier's projection, then each block's attention and MLP before the residual sum."""
    names = ["patch_embed"]
    for index in range(len(model.blocks)):
        names += [f"blocks.{index}.attn", f"blocks.{index}.mlp"]
    return names


def embeddings(name, value):
    if name == "patch_embed":
        return {"spatial": value.mean(dim=1)}
    first, spatial = value[:, 0], value[:, 1:].mean(dim=1)
    return {"cls": first, "spatial": spatial, "both": torch.cat((first, spatial), dim=1)}


def evaluate(model, size, batch):
    observed = {}
    attention = {}
    for name in taps_of(model):
        model.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, name=name: observed.__setitem__(name, output.clone())
        )
    for index, block in enumerate(model.blocks):
        block.attn.weights.register_forward_hook(
            lambda module, inputs, output, index=index: attention.__setitem__(f"blocks.{index}.attn", output)
        )
    model.eval()
    with torch.no_grad():
        logits = model(images(batch, size))
    return {
        "size": size,
        "batch": batch,
        "logits": [number(x) for x in logits.flatten()],
        "taps": {
            name: {
                "value": summary(value),
                "embeddings": {kind: summary(e, 8) for kind, e in embeddings(name, value).items()},
            }
            for name, value in observed.items()
        },
        "attention": {name: summary(value) for name, value in attention.items()},
    }


# Registered model: width, depth, heads, patch, size and batch of evaluation, size of training. DeiT-B is
# DeiT-S but wider: its logits and taps at a small size tell that, and training it would cost too much.
CASES = {
    "deit_tiny": (192, 12, 3, 16, 224, 2, 64),
    "deit_small": (384, 12, 6, 16, 224, 2, 64),
    "deit_small:5": (384, 5, 6, 16, 96, 2, 48),
    "deit_base": (768, 12, 12, 16, 32, 1, None),
    "deit_micro": (96, 6, 3, 8, 64, 2, 64),
}


def main():
    torch.set_num_threads(1)
    for name in sys.argv[1:] or CASES:
        width, depth, heads, patch, size, batch, small = CASES[name]
        model = fill(VisionTransformer(width, depth, heads, patch, size, CLASSES))
        training = []
        if small is not None:
            trained = fill(VisionTransformer(width, depth, heads, patch, small, CLASSES))
            training.append(training_golden(trained, small))
        golden = {
            "classes": CLASSES,
            "names": list(model.state_dict()),
            "evaluation": evaluate(model, size, batch),
            "training": training,
        }
        write(name.replace(":", "_"), golden)

    # Position embeddings from 14 x 14 to other grids, as DeiT resizes them: bicubic, corners not aligned.
    stored = formula("pos_embed", (1, 197, 12))
    grids = {}
    for grid in (7, 8, 24):
        patches = stored[:, 1:].reshape(1, 14, 14, 12).permute(0, 3, 1, 2)
        resized = functional.interpolate(patches, size=(grid, grid), mode="bicubic", align_corners=False)
        resized = torch.cat((stored[:, :1], resized.permute(0, 2, 3, 1).flatten(1, 2)), dim=1)
        grids[str(grid)] = summary(resized, 64)
    write("position_embeddings", grids)


if __name__ == "__main__":
    main()
