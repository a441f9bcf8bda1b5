"""What the golden scripts of the models share: weights by formula, and how results are sampled.

Weights are a pure function of (tensor name, element index), in integer arithmetic and IEEE doubles,
written identically in test/models/formula.ts: no weights are committed, only what networks make of them.
"""
import json
import math
import os

import numpy as np
import torch

OUTPUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "models")
SAMPLES = 16


def mix(value):
    """The finaliser of MurmurHash3 (Appleby), over an array of uint32."""
    value = value.astype(np.uint32)
    value = (value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    value = (value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return value ^ (value >> np.uint32(16))


def name_hash(name):
    """32-bit FNV-1a of an ASCII name."""
    state = 2166136261
    for byte in name.encode("ascii"):
        state = ((state ^ byte) * 16777619) & 0xFFFFFFFF
    return state


def uniform(name, count):
    """`count` numbers in [-1, 1) with 24 random bits each, as doubles."""
    index = np.arange(count, dtype=np.uint32)
    bits = mix(mix(index) ^ np.uint32(name_hash(name)))
    return (bits >> np.uint32(8)).astype(np.float64) / 8388608.0 - 1.0


def formula(name, shape):
    """The float32 value of the parameter or buffer `name`, scaled so that activations stay near 1."""
    count = int(np.prod(shape, dtype=np.int64))
    noise = uniform(name, count)
    if name.endswith("running_var"):
        values = 1.0 + 0.25 * noise
    elif name.endswith(".bn.bias"):
        # Inception: most activations far above the ReLU's kink, where float32 gradients would jump.
        values = 1.5 + 0.1 * noise
    elif name.endswith("running_mean") or name.endswith("bias"):
        values = 0.1 * noise
    elif name.endswith("bn3.weight"):
        # Branches small beside their shortcut, as in trained networks: deep random ones are chaotic.
        values = 0.2 + 0.05 * noise
    elif len(shape) == 1:
        values = 0.9 + 0.2 * noise
    elif name in ("cls_token", "pos_embed"):
        values = 0.3 * noise
    elif name.startswith("input"):
        values = 1.5 * noise
    else:
        fan_in = count // shape[0]
        values = math.sqrt(4.0 / fan_in) * noise
    return torch.from_numpy(values.astype(np.float32)).reshape(tuple(shape))


def images(batch, size, name="input"):
    """[B, 3, S, S] of noise in squares of 8 x 8 pixels: white noise would average out in a CNN."""
    coarse = formula(name, (batch, 3, size // 8, size // 8))
    return coarse.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3).contiguous()


def fill(model):
    """Gives every parameter and floating-point buffer of `model` its value by formula."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(formula(name, tuple(tensor.shape)))
    return model


def number(value):
    """A float with the nine digits that tell float32 values apart."""
    return float(f"{float(value):.9g}")


def samples(tensor, count=SAMPLES):
    """`count` elements, evenly strided from the first, in row-major (NCHW, BTD) order."""
    flat = tensor.detach().contiguous().reshape(-1)
    stride = max(1, flat.numel() // count)
    return [number(value) for value in flat[::stride][:count]]


def summary(tensor, count=SAMPLES):
    """Shape, Euclidean norm and samples of a tensor."""
    flat = tensor.detach().double()
    return {
        "shape": list(tensor.shape),
        "norm": number(flat.norm()),
        "samples": samples(tensor, count),
    }


def training_golden(model, size, name="input"):
    """Loss of one train-mode pass and, per parameter, the gradient's norm and four of its elements.

    In float64, so that the reference itself has no rounding to speak of.
    """
    labels = torch.tensor([1, 3, 0, 6])
    model = model.double().train()
    loss = torch.nn.functional.cross_entropy(model(images(4, size, name).double()), labels)
    loss.backward()
    return {
        "size": size,
        "input": name,
        "labels": labels.tolist(),
        "loss": number(loss),
        "gradients": {key: summary(parameter.grad, 4) for key, parameter in model.named_parameters()},
    }


def write(name, content):
    os.makedirs(OUTPUT, exist_ok=True)
    path = os.path.join(OUTPUT, f"{name}.json")
    with open(path, "w") as file:
        json.dump(content, file, separators=(",", ":"))
        file.write("\n")
    print(path, os.path.getsize(path))
