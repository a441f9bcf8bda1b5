"""Times feature extraction in plain PyTorch, eager, as a competent user writes it: a forward hook at every
tap that pools what it sees, all copied out batch by batch.

Prints one JSON object: seconds of every counted batch and the peak resident bytes.
"""
import argparse
import json
import resource
import sys
import time
from pathlib import Path

import torch
import torchvision

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "golden"))
from models_deit import VisionTransformer  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batches", type=int, default=6)
parser.add_argument("--warmup", type=int, default=2)
parser.add_argument("--mode", choices=["plain", "taps"], default="taps")
parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
parser.add_argument("--layout", choices=["channels-last", "nchw"], default="channels-last")
parser.add_argument("--device", default="cpu")
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(0)


def spatial(value):
    return value.mean((2, 3))


def tokens(value):
    return value.mean(1)


def class_and_patches(value):
    return torch.cat([value[:, 0], value[:, 1:].mean(1)], 1)


def channels_last_tokens(value):
    """torchvision's Swin has [B, H, W, D]."""
    return value.flatten(1, 2).mean(1) if value.ndim == 4 else value.mean(1)


widths = {"deit_tiny": (192, 3), "deit_small": (384, 6), "deit_base": (768, 12)}
if options.model in widths:
    width, heads = widths[options.model]
    model = VisionTransformer(width, 12, heads, 16, options.size, 1000)
    taps = {"patch_embed": tokens}
    for index in range(12):
        taps[f"blocks.{index}.attn"] = class_and_patches
        taps[f"blocks.{index}.mlp"] = class_and_patches
elif options.model == "swin_tiny":
    model = torchvision.models.swin_t()
    taps = {"features.0": channels_last_tokens}
    for stage in (1, 3, 5, 7):
        for index in range(len(model.features[stage])):
            taps[f"features.{stage}.{index}.attn"] = channels_last_tokens
            taps[f"features.{stage}.{index}.mlp"] = channels_last_tokens
elif options.model == "inception_v3":
    model = torchvision.models.inception_v3(aux_logits=False, init_weights=False)
    names = [name for name, _ in model.named_children() if name.startswith(("Conv2d", "Mixed"))]
    taps = {name: spatial for name in names}
else:
    model = getattr(torchvision.models, options.model)()
    taps = {"conv1": spatial}
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        for index in range(len(getattr(model, stage))):
            taps[f"{stage}.{index}"] = spatial

kind = torch.device(options.device).type
model = model.to(options.device)
images = torch.randn(options.batch, 3, options.size, options.size, device=options.device)
is_cnn = options.model not in widths and options.model != "swin_tiny"
if is_cnn and options.layout == "channels-last":
    model = model.to(memory_format=torch.channels_last)
    images = images.contiguous(memory_format=torch.channels_last)
model.eval()
seen = {}
if options.mode == "taps":
    for name, pool in taps.items():

        def hook(module, inputs, output, name=name, pool=pool):
            seen[name] = pool(output)

        model.get_submodule(name).register_forward_hook(hook)

seconds = []
with torch.inference_mode():
    for step in range(options.warmup + options.batches):
        start = time.perf_counter()
        seen.clear()
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=options.precision == "bf16"):
            logits = model(images)
        results = {name: value.float().cpu().numpy() for name, value in seen.items()}
        results["logits"] = logits.float().cpu().numpy()
        if step >= options.warmup:
            seconds.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "peakBytes": peak, "version": torch.__version__}))
