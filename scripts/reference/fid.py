"""Times scipy.linalg.sqrtm on the product of two covariances, as pytorch-fid does.

Run by bench/fid.ts. `--write FILE` makes the two covariances; `--file FILE` measures. Prints one JSON object.
"""
import argparse
import json
import time

import numpy as np
import scipy.linalg

parser = argparse.ArgumentParser()
parser.add_argument("--width", type=int, default=2048)
parser.add_argument("--write")
parser.add_argument("--file")
flags = parser.parse_args()
width = flags.width
if flags.write:
    random = np.random.default_rng(0)
    pieces = []
    for _ in range(2):
        # A spectrum that falls off, as that of Inception's features.
        mixing = random.normal(size=(width, width)) * np.exp(-np.arange(width) / 300)
        features = random.normal(size=(2 * width, width)) @ mixing.T + 0.05 * random.normal(size=(2 * width, width))
        pieces.append(np.cov(features, rowvar=False))
    np.stack(pieces).tofile(flags.write)
    print(json.dumps({}))
else:
    first, second = np.fromfile(flags.file).reshape(2, width, width)
    start = time.perf_counter()
    root, _ = scipy.linalg.sqrtm(first.dot(second), disp=False)
    trace = float(np.trace(root.real))
    print(json.dumps({"seconds": time.perf_counter() - start, "trace": trace}))
