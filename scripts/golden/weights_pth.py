"""Checkpoints as PyTorch writes them, and what is in them, for test/weights/.

Run with each PyTorch whose files the reader is tested on; the version's major number is part of the names:

    python3 scripts/golden/weights_pth.py

Writes test/golden/weights/torch<major>-*.pth and torch<major>.json, where every tensor of the readable files is
given as dtype, shape and the hexadecimal bytes of its row-major elements. Nothing here is random.
"""
import argparse
import collections
import json
import os

import torch

OUTPUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "weights")
PREFIX = f"torch{torch.__version__.split('.')[0]}"


def ramp(*shape, dtype=torch.float32):
    """Distinct values: 0.5, 1.5, … with alternating signs."""
    count = 1
    for size in shape:
        count *= size
    values = (torch.arange(count, dtype=torch.float64) + 0.5) * torch.where(torch.arange(count) % 2 == 0, 1.0, -1.0)
    return values.reshape(shape).to(dtype)


def every_kind():
    """A state dict with every dtype and every way that a tensor can lie in its storage."""
    state = collections.OrderedDict()
    for dtype in ("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8"):
        state[f"dtype.{dtype}"] = ramp(2, 3, dtype=getattr(torch, dtype))
    state["dtype.uint8"] = torch.arange(250, 256, dtype=torch.uint8)
    state["dtype.bool"] = torch.tensor([[True, False], [False, True]])
    state["scalar"] = torch.tensor(7)
    state["empty"] = torch.zeros(0, 3)
    base = ramp(4, 5)
    state["base"] = base
    state["transposed"] = base.t()
    state["row"] = base[2]
    state["column"] = base[:, 1]
    state["block"] = base[1:3, 2:4]
    state["stepped"] = base[::2, ::3]
    state["tied"] = base
    state["channels_last"] = ramp(2, 3, 2, 2).to(memory_format=torch.channels_last)
    state["transposed64"] = ramp(3, 2, dtype=torch.float64).t()
    state["transposed16"] = ramp(3, 2, dtype=torch.bfloat16).t()
    state["transposed8"] = ramp(3, 2, dtype=torch.int8).t()
    state["expanded"] = torch.tensor([1.5, -2.5]).unsqueeze(1).expand(2, 3)
    state["special"] = torch.tensor([float("inf"), float("-inf"), float("nan"), -0.0])
    state["parameter"] = torch.nn.Parameter(ramp(3))
    marked = torch.nn.Parameter(ramp(2))
    marked.no_decay = True
    state["parameter_with_attribute"] = marked
    attributed = ramp(2)
    attributed.origin = "here"
    state["tensor_with_attribute"] = attributed
    return state


def network():
    """A small network's state dict, which carries `_metadata` and batch norm's counters."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.Linear(8, 2)
    )


def training_checkpoint(model):
    """What a training script saves besides the weights, as far as it is plain."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
    sum(parameter.sum() for parameter in model.parameters()).backward()
    optimizer.step()
    return {
        "epoch": 12,
        "arch": "small",
        "best": 81.25,
        "large": 2**70,
        "negative": -3,
        "nothing": None,
        "flags": (True, False),
        "sizes": torch.Size([1, 2]),
        "names": {"a", "b"},
        "counts": collections.defaultdict(list),
        "random_state": torch.get_rng_state(),
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": schedule.state_dict(),
        "state_dict": collections.OrderedDict((f"module.{name}", t) for name, t in model.state_dict().items()),
    }


class Caller:
    """Pickles as a call of a function, as an attack would."""

    def __reduce__(self):
        return os.system, ("echo carryover-was-here > /tmp/carryover-pickle-ran",)


def describe(state):
    described = {}
    for name, tensor in state.items():
        dense = tensor.detach().contiguous().reshape(-1)
        raw = bytes(dense.view(torch.uint8).tolist()) if dense.numel() else b""
        dtype = str(tensor.dtype).replace("torch.", "")
        described[name] = {"dtype": dtype, "shape": list(tensor.shape), "hex": raw.hex()}
    return described


def save(name, value, **options):
    torch.save(value, os.path.join(OUTPUT, f"{PREFIX}-{name}.pth"), **options)


def main():
    os.makedirs(OUTPUT, exist_ok=True)
    model = network()
    plain = model.state_dict()
    readable = {}
    for name, value, state, options in (
        ("every-kind", every_kind(), every_kind(), {}),
        ("plain", plain, plain, {}),
        ("protocol5", plain, plain, {"pickle_protocol": 5}),
        ("model", {"model": plain}, plain, {}),
        ("ema", {"model_ema": plain, "epoch": 3}, plain, {"pickle_protocol": 4}),
    ):
        save(name, value, **options)
        readable[name] = describe(state)
    training = training_checkpoint(model)
    save("training", training)
    readable["training"] = describe(training["state_dict"])
    with open(os.path.join(OUTPUT, f"{PREFIX}.json"), "w") as file:
        json.dump(readable, file, separators=(",", ":"))

    save("refused-namespace", {"model": plain, "args": argparse.Namespace(lr=1e-3)})
    save("refused-module", torch.nn.Linear(2, 2))
    save("refused-call", {"model": plain, "extra": Caller()})
    save("refused-complex", {"model": {"weight": torch.zeros(2, dtype=torch.complex64)}})
    save("refused-sparse", {"model": {"weight": torch.eye(2).to_sparse()}})
    save("refused-tensor", torch.zeros(2))
    save("refused-list", [torch.zeros(2)])
    save("refused-mixed", {"model": {"weight": torch.zeros(2), "note": "text"}})
    program = torch.jit.script(torch.nn.Linear(2, 2))
    program.save(os.path.join(OUTPUT, f"{PREFIX}-refused-script.pth"))


if __name__ == "__main__":
    main()
