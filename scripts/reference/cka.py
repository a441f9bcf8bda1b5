"""Times CKA of all pairs of taps of two networks on one batch as torch_cka computes it, features given:
the Gram matrices of a pair are computed for that pair, and HSIC by matrix products.
https://github.com/AntixK/PyTorch-Model-Compare/blob/main/torch_cka/cka.py

Run by bench/cka.ts. Prints one JSON object: seconds.
"""
import argparse
import json
import time

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--taps", type=int, default=25)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--features", type=int, default=75648)
parser.add_argument("--threads", type=int, default=2)
flags = parser.parse_args()
torch.set_num_threads(flags.threads)


def hsic(k, l):
    n = k.shape[0]
    ones = torch.ones(n, 1)
    result = torch.trace(k @ l)
    result += ((ones.t() @ k @ ones @ ones.t() @ l @ ones) / ((n - 1) * (n - 2))).item()
    result -= ((ones.t() @ k @ l @ ones) * 2 / (n - 2)).item()
    return (1 / (n * (n - 3)) * result).item()


left = torch.randn(flags.batch, flags.features)
right = torch.randn(flags.batch, flags.features)
matrix = torch.zeros(flags.taps, flags.taps, 3)
with torch.no_grad():
    start = time.perf_counter()
    for i in range(flags.taps):
        x = left.flatten(1)
        k = x @ x.t()
        k.fill_diagonal_(0.0)
        matrix[i, :, 0] += hsic(k, k)
        for j in range(flags.taps):
            y = right.flatten(1)
            l = y @ y.t()
            l.fill_diagonal_(0)
            matrix[i, j, 1] += hsic(k, l)
            matrix[i, j, 2] += hsic(l, l)
    result = matrix[:, :, 1] / (matrix[:, :, 0].sqrt() * matrix[:, :, 2].sqrt())
    print(json.dumps({"seconds": time.perf_counter() - start, "finite": bool(result.isfinite().all())}))
