"""Times small operators of PyTorch from Python. Prints one JSON object: nanoseconds a call by operator."""
import json
import time

import torch

torch.set_num_threads(1)
x = torch.ones(2, 3)
image = torch.ones(1, 1, 4, 4)
kernel = torch.ones(1, 1, 3, 3)
weight = torch.ones(3, 3)
many = [torch.ones(4) for _ in range(50)]
cases = {
    "add": lambda: torch.add(x, x),
    "add_": lambda: x.add_(0),
    "mul_scalar": lambda: torch.mul(x, 1.5),
    "sum_dim": lambda: torch.sum(x, [1], True),
    "reshape": lambda: torch.reshape(x, [3, 2]),
    "linear": lambda: torch.nn.functional.linear(x, weight),
    "cat": lambda: torch.cat([x, x], 0),
    "conv2d": lambda: torch.nn.functional.conv2d(image, kernel, None, 1, 1),
    "foreach_mul_": lambda: torch._foreach_mul_(many, 1.5),
}
result = {}
with torch.no_grad():
    for name, call in cases.items():
        rounds = []
        for _ in range(7):
            start = time.perf_counter()
            for _ in range(20000):
                call()
            rounds.append((time.perf_counter() - start) / 20000 * 1e9)
        result[name] = sorted(rounds)[3]
print(json.dumps(result))
