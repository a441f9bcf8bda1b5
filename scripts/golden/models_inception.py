"""Golden values of Inception v3 against torchvision. Run: python3 scripts/golden/models_inception.py

Without auxiliary head, input transform and dropout (the one random part of a training pass).
Made with Debian's python3-torch 1.13.1 and python3-torchvision 0.14.1, on one thread.
"""
import torch
import torchvision

from models_common import fill, images, number, summary, training_golden, write

CLASSES = 7
TAPS = [
    "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3",
    "Mixed_5b", "Mixed_5c", "Mixed_5d",
    "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e",
    "Mixed_7a", "Mixed_7b", "Mixed_7c",
]  # fmt: skip

# Sizes of evaluation and training, and inputs whose float32 gradients PyTorch 1.13 itself gives within 3e-4 of
# the float64 ones: activations near the ReLU's kink are few (the formula's `bn.bias`), as in models_resnet.py.
EVALUATION_SIZE = 224
TRAINING_SIZE = 80
INPUTS = ["input7", "input0", "input1"]


def build():
    return fill(
        torchvision.models.Inception3(
            num_classes=CLASSES, aux_logits=False, transform_input=False, init_weights=False, dropout=0.0
        )
    )


def evaluate(model, size, batch):
    observed = {}
    for name in TAPS:
        # Copied at once: nothing in place may reach what was seen.
        model.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, name=name: observed.__setitem__(name, output.clone())
        )
    model.eval()
    with torch.no_grad():
        logits = model(images(batch, size))
    taps = {}
    for name, value in observed.items():
        pooled = torch.nn.functional.adaptive_avg_pool2d(value, 1).flatten(1)
        taps[name] = {"value": summary(value), "embeddings": {"spatial": summary(pooled, 8)}}
    return {"size": size, "batch": batch, "logits": [number(x) for x in logits.flatten()], "taps": taps}


def main():
    torch.set_num_threads(1)
    model = build()
    golden = {
        "classes": CLASSES,
        "names": list(model.state_dict()),
        "evaluation": evaluate(model, EVALUATION_SIZE, 2),
        "training": [],
    }
    for name in INPUTS:
        trained = build()
        record = training_golden(trained, TRAINING_SIZE, name)
        state = trained.state_dict()
        record["buffers"] = {
            key: summary(state[key], 4)
            for key in ("Conv2d_1a_3x3.bn.running_mean", "Mixed_7c.branch_pool.bn.running_var")
        }
        golden["training"].append(record)
    write("inception_v3", golden)


if __name__ == "__main__":
    main()
