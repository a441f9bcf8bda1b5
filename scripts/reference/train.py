"""Times training steps of plain PyTorch, eager, as a competent user writes them; on a GPU with AMP, and
with torch.compile where asked.

Prints one JSON object: seconds of every counted step, the peak resident bytes, and on a GPU those of the device.
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
parser.add_argument("--device", default="cpu")
parser.add_argument("--compile", action="store_true")
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(0)
kind = torch.device(options.device).type
widths = {"deit_tiny": (192, 3), "deit_small": (384, 6), "deit_base": (768, 12)}
if options.model in widths:
    width, heads = widths[options.model]
    model = VisionTransformer(width, 12, heads, 16, options.size, 1000)
elif options.model == "swin_tiny":
    # Depth dropout is not part of what is compared.
    model = torchvision.models.swin_transformer.SwinTransformer(
        [4, 4], 96, [2, 2, 6, 2], [3, 6, 12, 24], [7, 7], stochastic_depth_prob=0.0
    )
elif options.model == "inception_v3":
    model = torchvision.models.inception_v3(aux_logits=False, init_weights=False)
else:
    model = getattr(torchvision.models, options.model)()
is_cnn = options.model not in widths and options.model != "swin_tiny"
optimizer_class = torch.optim.Adam if is_cnn else torch.optim.AdamW
if options.model == "swin_tiny" and options.precision == "bf16" and kind == "cpu":
    # PyTorch 1.13's autocast leaves layer norm a bfloat16 input beside float32 weights, which it then refuses.
    layer_norm = torch.nn.functional.layer_norm
    torch.nn.functional.layer_norm = lambda value, *rest: layer_norm(value.float(), *rest)
model = model.to(options.device)
images = torch.randn(options.batch, 3, options.size, options.size, device=options.device)
if is_cnn and options.layout == "channels-last":
    model = model.to(memory_format=torch.channels_last)
    images = images.contiguous(memory_format=torch.channels_last)
labels = torch.arange(options.batch, device=options.device) % 1000
decayed = [p for p in model.parameters() if p.ndim > 1]
plain = [p for p in model.parameters() if p.ndim <= 1]
optimizer = optimizer_class(
    [{"params": decayed, "weight_decay": 1e-5}, {"params": plain, "weight_decay": 0}], lr=1e-4, foreach=True
)
model.train()
if options.compile:
    model = torch.compile(model)

seconds = []
for step in range(options.warmup + options.steps):
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(kind, dtype=torch.bfloat16, enabled=options.precision == "bf16"):
        logits = model(images)
    loss = torch.nn.functional.cross_entropy(logits.float(), labels)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    loss.item()
    if step >= options.warmup:
        seconds.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
result = {"seconds": seconds, "peakBytes": peak, "version": torch.__version__}
if kind == "cuda":
    result["peakDeviceBytes"] = torch.cuda.max_memory_allocated()
print(json.dumps(result))
