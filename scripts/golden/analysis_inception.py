"""Golden features of the Inception network that FID is defined with, at a small size.

torchvision's Inception v3 with the pools of pytorch-fid (means without the padding, the last block by
maximum), written after https://github.com/mseitzer/pytorch-fid/blob/master/src/pytorch_fid/inception.py
Weights by formula. Run: /usr/bin/python3 scripts/golden/analysis_inception.py
"""
import json
import os

import torch
import torch.nn.functional as F
import torchvision

from models_common import fill, images, summary

OUTPUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "analysis", "inception.json")
SIZE = 80


def pooled(block, maximum):
    """The branch of the pools, as pytorch-fid has it."""

    def pool(x):
        if maximum:
            return F.max_pool2d(x, kernel_size=3, stride=1, padding=1)
        return F.avg_pool2d(x, kernel_size=3, stride=1, padding=1, count_include_pad=False)

    class Pooled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = block.branch_pool

        def forward(self, _, whole):
            return self.inner(pool(whole))

    return Pooled()


def features(model, x, fid):
    """Everything before the head, the pooled branch of each block computed by itself and put in its place."""
    stem = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2"]
    for name in stem:
        x = getattr(model, name)(x)
    for name in ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"]:
        block = getattr(model, f"Mixed_{name}")
        out = block(x)
        if fid and hasattr(block, "branch_pool"):
            branch = pooled(block, name == "7c")(None, x)
            out = torch.cat([out[:, : -branch.shape[1]], branch], 1)
        x = out
    return F.adaptive_avg_pool2d(x, 1).flatten(1)


def main():
    torch.set_num_threads(1)
    golden = {}
    for name, classes in (("fid-inception", 1008), ("torchvision", 1000)):
        model = torchvision.models.Inception3(
            num_classes=classes, aux_logits=False, transform_input=False, init_weights=False, dropout=0.0
        )
        model = fill(model).eval()
        with torch.no_grad():
            golden[name] = {"size": SIZE, "features": summary(features(model, images(2, SIZE), name == "fid-inception"), 64)}
    with open(OUTPUT, "w") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
