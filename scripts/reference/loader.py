"""Times torchvision's ImageFolder and PyTorch's DataLoader, with PIL, as a competent user sets them up.

Prints one JSON object: seconds of the first and of the second epoch, and the images of each.
"""
import argparse
import json
import time

import torch
from torchvision import datasets, transforms

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--resize", type=int, default=256)
parser.add_argument("--size", type=int, default=224)
options = parser.parse_args()

jitter = transforms.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.1, hue=0.1)
pipeline = transforms.Compose(
    [
        transforms.Resize((options.resize, options.resize)),
        transforms.RandomResizedCrop(options.size, scale=(0.8, 1.0), ratio=(3 / 4, 4 / 3)),
        transforms.RandomHorizontalFlip(),
        transforms.RandomVerticalFlip(),
        transforms.RandomApply([jitter], p=0.2),
        transforms.ToTensor(),
        transforms.Normalize([0.5, 0.5, 0.5], [0.25, 0.25, 0.25]),
    ]
)
torch.manual_seed(0)
dataset = datasets.ImageFolder(options.data, pipeline)
loader = torch.utils.data.DataLoader(
    dataset,
    batch_size=options.batch,
    shuffle=True,
    drop_last=True,
    num_workers=options.workers,
    persistent_workers=options.workers > 0,
)
seconds = []
for _ in range(2):
    start = time.perf_counter()
    images = 0
    for batch, _labels in loader:
        images += batch.contiguous(memory_format=torch.channels_last).shape[0]
    seconds.append(time.perf_counter() - start)
print(
    json.dumps(
        {"coldSeconds": seconds[0], "warmSeconds": seconds[1], "images": images, "version": torch.__version__}
    )
)
