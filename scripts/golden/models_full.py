"""Full-size networks with random weights, and what PyTorch makes of real images with them.

    python3 scripts/golden/models_full.py --images FOLDER --out FOLDER [--models resnet18,deit_tiny] [--no-training]

Written into the folder, for scripts/parity-models.ts:
  <model>-<size>.weights.pth     the weights, as their publishers wrap and name them
  <model>-<size>.expected.pth    images [8, 3, S, S], logits [8, K], an embedding [8, D] for every tap and kind,
                                 the number of parameters
  <model>-<size>.training.pth    loss and every parameter's gradient of a train-mode pass, in float32 and float64

Nothing of this is committed. ResNets, Inception and Swin are torchvision's; DeiT is timm's where timm is
installed, else the plain transformer of models_deit.py. Weights are normal, so scaled that activations stay near
1; batch norm's statistics are those of the images, disturbed.
"""
import argparse
import math
import os
import zlib

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import nn
from torchvision.models.swin_transformer import SwinTransformer

from models_deit import VisionTransformer, embeddings, taps_of as deit_taps
from models_inception import TAPS as INCEPTION_TAPS
from models_resnet import taps_of as resnet_taps
from models_swin import upstream_name

CLASSES = 1000
BATCH = 8
DEIT = {"deit_tiny": (192, 3), "deit_small": (384, 6), "deit_base": (768, 12)}
SIZES = {"inception_v3": [224, 299], "swin_tiny": [224, 256]}
MODELS = ["resnet18", "resnet50", "resnet152", "inception_v3", *DEIT, "swin_tiny"]
# One model of each family is trained, so that every kind of block is.
TRAINED = ["resnet18", "resnet50", "inception_v3", "deit_tiny", "deit_small", "swin_tiny"]


def build(name, size):
    if name in DEIT:
        width, heads = DEIT[name]
        try:
            import timm

            return timm.create_model(f"{name}_patch16_224", num_classes=CLASSES, img_size=size)
        except ImportError:
            return VisionTransformer(width, 12, heads, 16, size, CLASSES)
    if name == "swin_tiny":
        window = size // 32
        return SwinTransformer(
            [4, 4], 96, [2, 2, 6, 2], [3, 6, 12, 24], [window, window], stochastic_depth_prob=0.0, num_classes=CLASSES
        )
    if name == "inception_v3":
        # With its auxiliary head, which published files have; it cannot run at 224 pixels and nothing reads it.
        model = torchvision.models.Inception3(
            num_classes=CLASSES, aux_logits=True, transform_input=False, init_weights=False, dropout=0.0
        )
        model.AuxLogits.forward = lambda value: value
        return model
    return getattr(torchvision.models, name)(num_classes=CLASSES)


def randomise(model, images):
    """Random weights, scaled by their fan-in; then batch norm's statistics as these images have them, disturbed."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            noise = torch.randn_like(value)
            if name.endswith(".bn.bias"):
                # Inception: most activations far above the ReLU's kink, where float32 gradients would jump.
                value.copy_(2.5 + 0.1 * noise)
            elif name.endswith("bias"):
                value.copy_(0.1 * noise)
            elif name.endswith("bn3.weight"):
                # Branches small beside their shortcut, as in trained networks: deep random ones are chaotic.
                value.copy_(0.2 + 0.05 * noise)
            elif value.dim() == 1:
                value.copy_(1.0 + 0.1 * noise)
            elif name.endswith(("_token", "pos_embed", "bias_table")):
                value.copy_(0.2 * noise)
            else:
                value.copy_(math.sqrt(1.3 / (value.numel() // value.shape[0])) * noise)
        norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
        if norms:
            momenta = [norm.momentum for norm in norms]
            for norm in norms:
                norm.momentum = None
            model.train()(images)
            for norm, momentum in zip(norms, momenta):
                norm.momentum = momentum
                deviation = norm.running_var.sqrt()
                norm.running_mean += 0.1 * deviation * torch.randn_like(deviation)
                norm.running_var *= 1 + 0.5 * torch.rand_like(deviation)


def read_images(folder, size):
    """The first eight pictures below a folder, by path, as [8, 3, S, S], normalised as for ImageNet."""
    paths = sorted(
        os.path.join(base, name)
        for base, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith((".jpg", ".jpeg", ".png"))
    )[:BATCH]
    if len(paths) < BATCH:
        raise SystemExit(f"error: {folder}: expected {BATCH} pictures (.jpg, .png), got {len(paths)}")
    pictures = [np.asarray(Image.open(path).convert("RGB").resize((size, size), Image.BILINEAR)) for path in paths]
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return ((images - mean[:, None, None]) / std[:, None, None]).contiguous()


def tap_names(name, model):
    """(our tap's name, the module's name here), in order."""
    if name in DEIT:
        return [(tap, tap) for tap in deit_taps(model)]
    if name == "inception_v3":
        return [(tap, tap) for tap in INCEPTION_TAPS]
    if name == "swin_tiny":
        modules = [
            f"features.{stage}.{block}.{part}"
            for stage in (1, 3, 5, 7)
            for block in range(len(model.features[stage]))
            for part in ("attn", "mlp")
        ]
        return [("patch_embed", "features.0")] + [(upstream_name(module), module) for module in modules]
    return [(tap, tap) for tap in resnet_taps(model)]


def tap_embeddings(name, tap, value):
    if name in DEIT:
        return embeddings(tap, value)
    if name == "swin_tiny":
        return {"spatial": value.mean(dim=(1, 2))}
    return {"spatial": value.mean(dim=(2, 3))}


def observe(name, model, images):
    """Logits and the embeddings of every tap. Each is taken at once: in-place work must not reach what was seen."""
    seen = {}

    def hook(tap):
        def take(module, inputs, output):
            for kind, embedding in tap_embeddings(name, tap, output).items():
                seen[f"{tap}/{kind}"] = embedding.clone()

        return take

    hooks = [model.get_submodule(module).register_forward_hook(hook(tap)) for tap, module in tap_names(name, model)]
    model.eval()
    with torch.no_grad():
        logits = model(images)
    for handle in hooks:
        handle.remove()
    return logits, seen


def train(model, images, labels, prefix):
    """Loss and gradients of one train-mode pass, under names that begin with `prefix`."""
    model.train().zero_grad(set_to_none=True)
    output = model(images)
    loss = nn.functional.cross_entropy(getattr(output, "logits", output), labels)
    loss.backward()
    gradients = {
        f"{prefix}/{upstream_name(key) if isinstance(model, SwinTransformer) else key}": parameter.grad.float()
        for key, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    return {f"{prefix}-loss": loss.detach().reshape(1).double(), **gradients}


def train_twice(name, model, images):
    """A train-mode pass in float32 and in float64.

    A ReLU's derivative jumps at zero, so that float32 gradients of a CNN differ by a percent from one kernel to
    the next, in PyTorch itself, where an activation lies within rounding of zero. float64 has no such places: it
    tells how far PyTorch's own float32 is from the truth.
    """
    labels = (torch.arange(BATCH) * 123) % CLASSES
    if name not in DEIT and name != "swin_tiny":
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    single = train(model, images, labels, "float32")
    return {"labels": labels, **single, **train(model.double(), images.double(), labels, "float64")}


def wrap(name, state):
    """As published: DeiT under "model", the others plain."""
    return {"model": state} if name in DEIT else state


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--no-training", action="store_true")
    options = parser.parse_args()
    unknown = set(options.models.split(",")) - set(MODELS)
    if unknown:
        raise SystemExit(f"error: --models: expected some of {', '.join(MODELS)}, got {', '.join(sorted(unknown))}")
    os.makedirs(options.out, exist_ok=True)
    for name in options.models.split(","):
        for size in SIZES.get(name, [224]):
            torch.manual_seed(zlib.crc32(f"{name} {size}".encode()))
            images = read_images(options.images, size)
            model = build(name, size)
            randomise(model, images)
            path = os.path.join(options.out, f"{name}-{size}")
            torch.save(wrap(name, model.state_dict()), f"{path}.weights.pth")
            logits, taps = observe(name, model, images)
            count = sum(value.numel() for key, value in model.named_parameters() if not key.startswith("AuxLogits"))
            expected = {"images": images, "logits": logits, "parameters": torch.tensor([count])}
            torch.save({**expected, **{f"tap/{key}": value for key, value in taps.items()}}, f"{path}.expected.pth")
            if name in TRAINED and size == 224 and not options.no_training:
                torch.save(train_twice(name, model, images), f"{path}.training.pth")
            print(f"{name} {size} px: made by PyTorch {torch.__version__}", flush=True)


if __name__ == "__main__":
    main()
