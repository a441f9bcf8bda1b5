"""What the golden scripts of the data share: pictures by formula, and how results are written."""
import base64
import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "test/golden/data"


def picture(width, height, seed):
    """[height, width, 3] uint8: smooth colours under noise, by the formula of test/data/pictures.ts."""
    count = width * height * 3
    index = np.arange(count, dtype=np.uint32)
    state = index * np.uint32(2654435761) + np.uint32(seed * 40503)
    state = (state ^ (state >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    state = (state ^ (state >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    noise = (state ^ (state >> np.uint32(16))) >> np.uint32(25)
    pixel, channel = index // 3, index % 3
    column, row = pixel % width, pixel // width
    smooth = (column * (channel + 1) * 3 + row * (3 - channel) * 2) % np.uint32(128)
    return (noise + smooth).astype(np.uint8).reshape(height, width, 3)


def encode(array):
    """The array's bytes, little-endian, as base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def write(name, content):
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    print(path, path.stat().st_size)
