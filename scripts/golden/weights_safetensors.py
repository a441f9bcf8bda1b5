"""A file of the safetensors library with every dtype that the reader knows, and files with others.

Needs PyTorch 2 and `pip install safetensors`. Writes test/golden/weights/library*.safetensors and library.json in
the form of weights_pth.py. With arguments, prints in that form what the library reads from those files instead,
which is how files of our own writer are checked:

    python3 scripts/golden/weights_safetensors.py [FILE …]
"""
import json
import os
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from weights_pth import OUTPUT, describe, every_kind


def main():
    files = sys.argv[1:]
    for file in files:
        with safe_open(file, "pt") as opened:
            metadata = opened.metadata()
        print(json.dumps({"metadata": metadata, "tensors": describe(load_file(file))}))
    if files:
        return
    state = {name: tensor.detach().contiguous().clone() for name, tensor in every_kind().items()}
    save_file(state, os.path.join(OUTPUT, "library.safetensors"), metadata={"format": "pt", "source": "naïve"})
    with open(os.path.join(OUTPUT, "library.json"), "w") as file:
        json.dump(describe(state), file, separators=(",", ":"))
    unknown = {"weight": torch.zeros(2, dtype=torch.float8_e4m3fn)}
    save_file(unknown, os.path.join(OUTPUT, "library-refused-float8.safetensors"))


if __name__ == "__main__":
    main()
