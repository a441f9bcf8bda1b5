"""Golden values of the augmentations against torchvision's functional transforms on float tensors.

Run: python3 scripts/golden/data_augment.py
Made with Debian's python3-torch 1.13.1 and python3-torchvision 0.14.1.
"""
import torch
import torchvision
from torchvision.transforms import functional

from data_common import encode, picture, write

RESIZE, SIZE = 40, 24

CROPS = {
    "whole": (0, 0, 40, 40),
    "part": (3, 1, 33, 39),
    "wide": (7, 0, 31, 40),
    "tall": (0, 6, 40, 30),
    "exact": (5, 9, 24, 24),
}

# Crop, horizontal flip, vertical flip, colour changes in order.
CASES = [
    ("whole", False, False, []),
    ("part", True, False, []),
    ("wide", False, True, []),
    ("tall", True, True, []),
    ("exact", False, False, []),
    ("exact", False, False, [("brightness", 0.8)]),
    ("exact", False, False, [("brightness", 1.2)]),
    ("exact", False, False, [("contrast", 0.83)]),
    ("exact", False, False, [("contrast", 1.17)]),
    ("exact", False, False, [("saturation", 0.9)]),
    ("exact", False, False, [("saturation", 1.1)]),
    ("exact", False, False, [("hue", 0.1)]),
    ("exact", False, False, [("hue", -0.1)]),
    ("part", False, False, [("hue", 0.07), ("contrast", 1.2), ("saturation", 0.95), ("brightness", 1.1)]),
    ("tall", True, False, [("brightness", 0.85), ("saturation", 1.08), ("hue", -0.04), ("contrast", 0.9)]),
]

ADJUST = {
    "brightness": functional.adjust_brightness,
    "contrast": functional.adjust_contrast,
    "saturation": functional.adjust_saturation,
    "hue": functional.adjust_hue,
}


def main():
    torch.set_num_threads(1)
    cases = []
    for seed, (crop, horizontal, vertical, colour) in enumerate(CASES):
        top, left, height, width = CROPS[crop]
        pixels = picture(RESIZE, RESIZE, seed)
        if seed >= 10:
            # Grey, black, white and pure colours: where hue and saturation are special.
            pixels[10:12, 12:14] = [[[90, 90, 90], [0, 0, 0]], [[255, 255, 255], [255, 0, 255]]]
        image = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
        image = functional.resized_crop(image, top, left, height, width, [SIZE, SIZE], antialias=True)
        if horizontal:
            image = functional.hflip(image)
        if vertical:
            image = functional.vflip(image)
        for adjustment, amount in colour:
            image = ADJUST[adjustment](image, amount)
        cases.append(
            {
                "seed": seed,
                "special": seed >= 10,
                "crop": {"top": top, "left": left, "height": height, "width": width},
                "flipHorizontal": horizontal,
                "flipVertical": vertical,
                "colour": [{"adjustment": name, "amount": amount} for name, amount in colour],
                "image": encode(image.numpy()),
            }
        )
    centre = [
        {"resize": resize, "size": size, "start": int(round((resize - size) / 2.0))}
        for resize, size in [(256, 224), (73, 64), (75, 64), (40, 40), (41, 40), (43, 40)]
    ]
    content = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    write("augment", {**content, "resize": RESIZE, "size": SIZE, "centre": centre, "cases": cases})


main()
