"""What the scripts of the layers' golden files share."""

import json
import pathlib

import torch

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "nn"


def start(seed):
    """One thread, one seed: the same file from every run."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)


def pack(tensor):
    """A tensor as its shape and its values, each in the fewest digits that give the float32 back."""
    values = tensor.detach().contiguous().flatten()
    if values.dtype == torch.float32:
        numbers = [float(str(value)) for value in values.numpy()]
    else:
        numbers = values.tolist()
    return {"shape": list(tensor.shape), "values": numbers}


def write(name, golden):
    """Writes test/golden/nn/<name>.json, one case a line."""
    golden = {"torch": torch.__version__, **golden}
    lines = ",\n".join(
        f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}"
        for key, value in golden.items()
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text("{\n" + lines + "\n}\n")
