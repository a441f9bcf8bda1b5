"""Checkpoints in the formats that PyTorch wrote before its zip format, and what is in them, for test/weights/.

    python3 scripts/golden/weights_legacy.py

Writes test/golden/weights/torch<major>-legacy-*.pth and torch<major>-legacy.json. With PyTorch 1, also
torch0-tar.pth: the tar archive of PyTorch before 0.1.10, written by hand here as that version wrote it, since
nothing writes it any more, and read back by `torch.load`, which proves it right.
"""
import io
import json
import os
import pickle
import struct
import tarfile

import torch

from weights_pth import OUTPUT, PREFIX, describe, every_kind, network, training_checkpoint


def save(name, value, **options):
    path = os.path.join(OUTPUT, f"{PREFIX}-legacy-{name}.pth")
    torch.save(value, path, _use_new_zipfile_serialization=False, **options)


def pickled(value):
    return pickle.dumps(value, protocol=2)


def class_tuple(first, second, name):
    """A pickled tuple of two values and the class `torch.<name>`."""
    body = pickled(first)[2:-1] + pickled(second)[2:-1] + f"ctorch\n{name}\n".encode()
    return b"\x80\x02(" + body + b"t."


class TensorPickler(pickle.Pickler):
    """Tensors by number, as PyTorch 0.1 referred to them."""

    def persistent_id(self, value):
        return id(value) if isinstance(value, torch.Tensor) else None


TYPES = {torch.float32: "Float", torch.float64: "Double", torch.int64: "Long", torch.uint8: "Byte"}


def tar_checkpoint(state):
    storages, tensors = io.BytesIO(), io.BytesIO()
    bases = {}
    for value in state.values():
        bases.setdefault(value.storage().data_ptr(), value)
    storages.write(pickled(len(bases)))
    for address, value in bases.items():
        storage = value.storage()
        storages.write(class_tuple(address, "cpu", f"{TYPES[value.dtype]}Storage"))
        flat = torch.tensor([], dtype=value.dtype).set_(storage, 0, (len(storage),), (1,))
        storages.write(struct.pack("<q", len(storage)) + flat.numpy().tobytes())
    storages.write(pickled([]))
    tensors.write(pickled(len(state)))
    for value in state.values():
        address = value.storage().data_ptr()
        tensors.write(class_tuple(id(value), address, f"{TYPES[value.dtype]}Tensor"))
        dimensions = value.dim()
        tensors.write(struct.pack("<i", dimensions) + b"\0\0\0\0")
        tensors.write(struct.pack(f"<{dimensions}q", *value.shape))
        tensors.write(struct.pack(f"<{dimensions}q", *value.stride()))
        tensors.write(struct.pack("<q", value.storage_offset()))
    root = io.BytesIO()
    TensorPickler(root, protocol=2).dump(state)
    system = {"protocol_version": 1000, "little_endian": True, "type_sizes": {"int": 4, "long": 4, "short": 2}}
    members = {
        "sys_info": pickled(system),
        "pickle": root.getvalue(),
        "tensors": tensors.getvalue(),
        "storages": storages.getvalue(),
    }
    path = os.path.join(OUTPUT, "torch0-tar.pth")
    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    read = torch.load(path)
    assert list(read) == list(state)
    assert all(torch.equal(read[name], value) for name, value in state.items())
    with open(os.path.join(OUTPUT, "torch0-tar.json"), "w") as file:
        json.dump(describe(state), file, separators=(",", ":"))


def main():
    model = network()
    plain = model.state_dict()
    save("every-kind", every_kind())
    save("model", {"model": plain})
    save("protocol4", plain, pickle_protocol=4)
    readable = {"every-kind": describe(every_kind()), "model": describe(plain), "protocol4": describe(plain)}
    training = training_checkpoint(model)
    save("training", training)
    readable["training"] = describe(training["state_dict"])
    with open(os.path.join(OUTPUT, f"{PREFIX}-legacy.json"), "w") as file:
        json.dump(readable, file, separators=(",", ":"))
    save("refused-module", torch.nn.Linear(2, 2))
    if PREFIX == "torch1":
        base = torch.arange(20, dtype=torch.float32).reshape(4, 5)
        state = dict(network().state_dict())
        state.update(transposed=base.t(), block=base[1:3, 2:4], scalar=torch.ones(1, dtype=torch.float64))
        tar_checkpoint(state)


if __name__ == "__main__":
    main()
