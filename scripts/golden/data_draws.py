"""Distributions of the random parameters of torchvision's RandomResizedCrop and ColorJitter.

Run: python3 scripts/golden/data_draws.py
Made with Debian's python3-torch 1.13.1 and python3-torchvision 0.14.1.
"""
import torch
import torchvision
from torchvision.transforms import ColorJitter, RandomResizedCrop

from data_common import write

RESIZE, DRAWS = 256, 40000


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    image = torch.empty(3, RESIZE, RESIZE)
    counts = {name: [0] * (RESIZE + 1) for name in ("top", "left", "height", "width")}
    for _ in range(DRAWS):
        box = RandomResizedCrop.get_params(image, scale=[0.8, 1.0], ratio=[3 / 4, 4 / 3])
        for name, value in zip(("top", "left", "height", "width"), box):
            counts[name][int(value)] += 1
    jitter = ColorJitter(brightness=0.2, contrast=0.2, saturation=0.1, hue=0.1)
    ranges = {name: list(getattr(jitter, name)) for name in ("brightness", "contrast", "saturation", "hue")}
    content = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    write("draws", {**content, "resize": RESIZE, "draws": DRAWS, "counts": counts, "ranges": ranges})


main()
