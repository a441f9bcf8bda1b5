"""Golden values of the antialiased bilinear resize against torchvision on uint8 tensors.

Run: python3 scripts/golden/data_resize.py
Made with Debian's python3-torch 1.13.1 and python3-torchvision 0.14.1.
"""
import torch
import torchvision
from torchvision.transforms import functional

from data_common import encode, picture, write

# Width, height, size: smaller, larger, the same, one side each way, extreme aspects.
CASES = [(53, 37, 24), (17, 11, 40), (32, 32, 32), (90, 13, 36), (224, 160, 32), (3, 200, 20), (1, 1, 8)]


def main():
    torch.set_num_threads(1)
    cases = []
    for seed, (width, height, size) in enumerate(CASES):
        tensor = torch.from_numpy(picture(width, height, seed)).permute(2, 0, 1)
        resized = functional.resize(tensor, [size, size], antialias=True).permute(1, 2, 0)
        cases.append({"width": width, "height": height, "seed": seed, "size": size, "pixels": encode(resized.numpy())})
    write("resize", {"torch": torch.__version__, "torchvision": torchvision.__version__, "cases": cases})


main()
