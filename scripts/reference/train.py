"""Times training steps of plain PyTorch, eager, as a competent user writes them.

Prints one JSON object: seconds of every counted step and the peak resident bytes.
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
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--steps", type=int, default=6)
parser.add_argument("--warmup", type=int, default=2)
parser.add_argument("--layout", choices=["channels-last", "nchw"], default="channels-last")
parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(0)
widths = {"deit_tiny": (192, 3), "deit_small": (384, 6), "deit_base": (768, 12)}
if options.model in widths:
    width, heads = widths[options.model]
    model = VisionTransformer(width, 12, heads, 16, options.size, 1000)
    optimizer_class = torch.optim.AdamW
else:
    model = getattr(torchvision.models, options.model)()
    optimizer_class = torch.optim.Adam
is_cnn = options.model not in widths
images = torch.randn(options.batch, 3, options.size, options.size)
if is_cnn and options.layout == "channels-last":
    model = model.to(memory_format=torch.channels_last)
    images = images.contiguous(memory_format=torch.channels_last)
labels = torch.arange(options.batch) % 1000
decayed = [p for p in model.parameters() if p.ndim > 1]
plain = [p for p in model.parameters() if p.ndim <= 1]
optimizer = optimizer_class(
    [{"params": decayed, "weight_decay": 1e-5}, {"params": plain, "weight_decay": 0}], lr=1e-4, foreach=True
)
model.train()

seconds = []
for step in range(options.warmup + options.steps):
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bf16"):
        logits = model(images)
    loss = torch.nn.functional.cross_entropy(logits.float(), labels)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    loss.item()
    if step >= options.warmup:
        seconds.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "peakBytes": peak, "version": torch.__version__}))
