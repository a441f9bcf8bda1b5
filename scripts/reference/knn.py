"""Times the bare matrix product of a k-NN search in PyTorch, block by block so that it fits into memory.

Run by bench/knn.ts. Prints one JSON object: seconds, and the peak resident bytes.
"""
import argparse
import json
import resource
import time

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--queries", type=int, default=20000)
parser.add_argument("--bank", type=int, default=100000)
parser.add_argument("--width", type=int, default=768)
flags = parser.parse_args()
torch.set_num_threads(flags.threads)

BLOCK = 1024
bank = torch.rand(flags.bank, flags.width) - 0.5
queries = torch.rand(flags.queries, flags.width) - 0.5
out = torch.empty(BLOCK, flags.bank)
start = time.perf_counter()
for first in range(0, flags.queries, BLOCK):
    block = queries[first:first + BLOCK]
    torch.mm(block, bank.t(), out=out[: len(block)])
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
