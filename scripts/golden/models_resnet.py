"""Golden values of the ResNets against torchvision.

Run: python3 scripts/golden/models_resnet.py [model ...]; all models without a name.

Made with Debian's python3-torch 1.13.1 and python3-torchvision 0.14.1, on one thread.
"""
import sys

import torch
import torchvision

from models_common import fill, images, number, summary, training_golden, write

CLASSES = 7


def taps_of(model):
    """METHODS: `conv1` before its norm, then each residual block's output."""
    names = ["conv1"]
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        names += [f"{stage}.{index}" for index in range(len(getattr(model, stage)))]
    return names


def evaluate(model, size, batch):
    observed = {}
    hooks = [
        # Copied at once: the in-place ReLU of the next block must not reach what was seen.
        model.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, name=name: observed.__setitem__(name, output.clone())
        )
        for name in taps_of(model)
    ]
    model.eval()
    with torch.no_grad():
        logits = model(images(batch, size))
    for hook in hooks:
        hook.remove()
    taps = {}
    for name, value in observed.items():
        pooled = torch.nn.functional.adaptive_avg_pool2d(value, 1).flatten(1)
        taps[name] = {"value": summary(value), "embeddings": {"spatial": summary(pooled, 8)}}
    return {"size": size, "batch": batch, "logits": [number(x) for x in logits.flatten()], "taps": taps}


# Model: evaluation size and batch, training size and inputs. A ReLU's derivative jumps at zero, so that
# where one of millions of activations lies within rounding of it, float32 gradients differ by a percent
# from one kernel to the next, in PyTorch itself. Of 40 and 250 inputs these keep all activations furthest
# from zero (at least 7e-6 and 2e-6), and PyTorch 1.13 and 2.13 agree on them in either memory format.
# ResNet-152 is made of the blocks of ResNet-50: its logits and taps at a small size tell whether it is
# put together rightly.
CASES = {
    "resnet18": (224, 2, 64, ["input21"]),
    "resnet50": (224, 2, 48, ["input181", "input77", "input119"]),
    "resnet152": (64, 1, None, []),
}


def main():
    torch.set_num_threads(1)
    for name in sys.argv[1:] or CASES:
        evaluation_size, batch, size, inputs = CASES[name]
        build = getattr(torchvision.models, name)
        model = fill(build(num_classes=CLASSES))
        golden = {
            "classes": CLASSES,
            "names": list(model.state_dict()),
            "evaluation": evaluate(model, evaluation_size, batch),
            "training": [],
        }
        for images_name in inputs:
            trained = fill(build(num_classes=CLASSES))
            record = training_golden(trained, size, images_name)
            state = trained.state_dict()
            record["buffers"] = {
                key: summary(state[key], 4) for key in ("bn1.running_mean", "bn1.running_var")
            }
            golden["training"].append(record)
        write(name, golden)


if __name__ == "__main__":
    main()
