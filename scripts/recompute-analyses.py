"""python3 scripts/recompute-analyses.py RUN [--pixels FILE.rgb]

Recomputes the analyses of a finished run of a ResNet-18 or DeiT on isic2019 or folder images in PyTorch,
numpy in float64 and scikit-learn, from the run's checkpoints and the pictures alone, and compares them with
what `carryover analyze` wrote into RUN/analysis (with --precision fp32). Prints the greatest difference of
each measure; fails where one is too large. Nothing of carryover is used but, with --pixels, the resized images
of its cache ([N, side, side, 3] bytes, in the order of splits.csv), which may be a level of 255 off from
torchvision's: enough to move CKA by 5e-5 and to swap neighbours.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from sklearn.metrics import average_precision_score, cohen_kappa_score, confusion_matrix, recall_score, roc_auc_score

parser = argparse.ArgumentParser()
parser.add_argument("run", type=Path)
parser.add_argument("--pixels", type=Path)
flags = parser.parse_args()
record = json.loads((flags.run / "run.json").read_text())
classes = record["data"]["classes"]
is_deit = record["config"]["model"].startswith("deit")
failures = []
compared = 0


def compare(name, ours, theirs, tolerance):
    """`ours` is recomputed here, `theirs` is what carryover wrote; relative to the greatest value."""
    global compared
    compared += 1
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    difference = float(np.max(np.abs(ours - theirs)) / max(1e-300, np.max(np.abs(ours))))
    verdict = "ok" if difference <= tolerance else "DIFFERS"
    if verdict != "ok":
        failures.append(name)
    print(f"{name}: {ours.size} numbers, greatest difference {difference:.1e} of the greatest value: {verdict}")


def document(measure, folder=flags.run):
    path = folder / "analysis" / f"{measure}.json"
    return json.loads(path.read_text()) if path.exists() else None


def read_safetensors(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    kinds = {"F32": torch.float32, "I64": torch.int64}
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            raw = bytearray(data[8 + length + start : 8 + length + end])
            tensors[name] = torch.frombuffer(raw, dtype=kinds[entry["dtype"]]).reshape(entry["shape"])
    return tensors


# The pictures, in the order of the splits file.
def path_of(sample):
    root = Path(record["config"]["data"]["path"])
    if record["config"]["data"]["kind"] == "isic2019":
        return root / "ISIC_2019_Training_Input" / f"{sample}.jpg"
    return root / sample


def load(split):
    rows = [line.split(",") for line in (flags.run / "splits.csv").read_text().splitlines()[1:]]
    side, crop = record["resolved"]["resize"], record["resolved"]["size"]
    kept = np.fromfile(flags.pixels, np.uint8).reshape(len(rows), side, side, 3) if flags.pixels else None
    images, labels, worst, differing = [], [], 0, []
    for at, (sample, _, label, own) in enumerate(rows):
        if own != split:
            continue
        pixels = torchvision.transforms.functional.pil_to_tensor(Image.open(path_of(sample)).convert("RGB"))
        pixels = torchvision.transforms.functional.resize(pixels, [side, side], antialias=True)
        if kept is not None:
            own = torch.from_numpy(kept[at]).permute(2, 0, 1)
            difference = (own.int() - pixels.int()).abs()
            worst = max(worst, int(difference.max()))
            differing.append(float((difference > 0).float().mean()))
            pixels = own
        images.append(torchvision.transforms.functional.center_crop(pixels, [crop, crop]).float() / 255)
        labels.append(classes.index(label))
    if kept is not None:
        print(f"{split}: pixels differ from torchvision's by {worst} levels at most, in {np.mean(differing):.2%} of places")
        if worst > 1:
            failures.append(f"pixels of {split}")
    mean, std = (torch.tensor(record["data"][key]).view(3, 1, 1) for key in ("mean", "std"))
    return (torch.stack(images) - mean) / std, np.array(labels)


def resnet_taps(weights, images):
    model = torchvision.models.resnet18(num_classes=len(classes))
    model.load_state_dict(weights, strict=True)
    model.eval()
    taps = {}
    names = ["conv1"] + [f"layer{stage}.{block}" for stage in range(1, 5) for block in range(2)]
    for name, module in model.named_modules():
        if name in names:
            module.register_forward_hook(lambda _, __, out, name=name: taps.__setitem__(name, out))
    return taps, model(images), {}


def deit_taps(weights, images):
    f = torch.nn.functional
    w = weights
    norm = lambda x, name: f.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], 1e-6)
    linear = lambda x, name: f.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])
    patch = w["patch_embed.proj.weight"].shape[-1]
    heads = {"deit_micro": 3, "deit_tiny": 3, "deit_small": 6, "deit_base": 12}[record["config"]["model"]]
    x = f.conv2d(images, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=patch).flatten(2).transpose(1, 2)
    taps, attention = {"patch_embed": x}, {}
    x = torch.cat([w["cls_token"].expand(len(x), -1, -1), x], 1) + w["pos_embed"]
    for block in range(sum(name.endswith("attn.qkv.weight") for name in w)):
        at = f"blocks.{block}"
        b, t, d = x.shape
        qkv = linear(norm(x, f"{at}.norm1"), f"{at}.attn.qkv").reshape(b, t, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        a = (qkv[0] @ qkv[1].transpose(-2, -1) / (d // heads) ** 0.5).softmax(-1)
        attention[f"{at}.attn"] = a
        taps[f"{at}.attn"] = linear((a @ qkv[2]).transpose(1, 2).reshape(b, t, d), f"{at}.attn.proj")
        x = x + taps[f"{at}.attn"]
        taps[f"{at}.mlp"] = linear(f.gelu(linear(norm(x, f"{at}.norm2"), f"{at}.mlp.fc1")), f"{at}.mlp.fc2")
        x = x + taps[f"{at}.mlp"]
    return taps, linear(norm(x, "norm")[:, 0], "head"), attention


forward = deit_taps if is_deit else resnet_taps


def embedding(tap, value, kind):
    if value.ndim == 4:
        return value.mean((2, 3))
    if tap == "patch_embed":
        return value.mean(1)
    parts = {"cls": [value[:, 0]], "spatial": [value[:, 1:].mean(1)]}
    return torch.cat(parts["cls"] + parts["spatial"] if kind == "both" else parts[kind], 1)


def metrics(scores, labels):
    """All metrics of scores [N, K]."""
    predicted, present = scores.argmax(1), np.unique(labels)
    return {
        "accuracy": float((predicted == labels).mean()),
        "recall": recall_score(labels, predicted, labels=present, average="macro", zero_division=0),
        "kappa": cohen_kappa_score(labels, predicted, weights="quadratic", labels=range(len(classes))),
        "auc": np.mean([roc_auc_score(labels == k, scores[:, k]) for k in present]),
        "averagePrecision": np.mean([average_precision_score(labels == k, scores[:, k]) for k in present]),
    }


def compare_metrics(name, evaluation, scores, labels, tolerance=1e-9):
    mine = metrics(scores, labels)
    compare(name, list(mine.values()), [evaluation["metrics"][key]["value"] for key in mine], tolerance)


def hsic(k, l):
    n = len(k)
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    trace, sums = (k * l).sum(), k.sum() * l.sum() / ((n - 1) * (n - 2))
    return (trace + sums - 2 / (n - 2) * (k.sum(0) @ l.sum(0))) / (n * (n - 3))


def cka(left, right, batch, estimator):
    """Of lists of taps, each [N, features]."""
    def grams(taps):
        # A shift of the features changes nothing; the Gram matrix is in float64 throughout.
        return [[(c := (x[at : at + batch].double() - x.double().mean(0))) @ c.T for at in range(0, len(x), batch)] for x in taps]
    own, other = ([[g.numpy() for g in tap] for tap in grams(side)] for side in (left, right))
    cross = np.array([[[hsic(k, l) for k, l in zip(x, y)] for y in other] for x in own])
    selves = [np.array([[hsic(k, k) for k in x] for x in side]) for side in (own, other)]
    if estimator == "mean-of-ratios":
        return (cross / np.sqrt(selves[0][:, None] * selves[1][None])).mean(-1)
    return cross.mean(-1) / np.sqrt(selves[0].mean(-1)[:, None] * selves[1].mean(-1)[None])


torch.set_grad_enabled(False)
test_images, test_labels = load("test")
weights = {name: read_safetensors(flags.run / f"{name}.safetensors") for name in ("initial", "best")}
networks = {name: forward(weights[name], test_images) for name in weights}

found = document("calibration")
if found:
    logits = networks["best"][1].double()
    probabilities = logits.softmax(1).numpy()
    compare_metrics("calibration: metrics", found["evaluation"], probabilities, test_labels)
    matrix = confusion_matrix(test_labels, probabilities.argmax(1), labels=range(len(classes)))
    compare("calibration: confusion matrix", matrix, found["evaluation"]["confusion"], 0)
    per_class = [row[k] / row.sum() for k, row in enumerate(matrix) if row.sum() > 0]
    theirs = [v["value"] for v in found["evaluation"]["perClass"].values() if "value" in v]
    compare("calibration: recall of each class", per_class, theirs, 1e-9)
    sure, right = probabilities.max(1), probabilities.argmax(1) == test_labels
    edges = np.linspace(0, 1, len(found["overall"]["bins"]) + 1)
    inside = [(sure > low) & (sure <= high) for low, high in zip(edges, edges[1:])]
    error = sum(abs(sure[own].mean() - right[own].mean()) * own.mean() for own in inside if own.any())
    compare("calibration: expected error", error, found["overall"]["expectedError"]["value"], 1e-5)

found = document("knn")
if found:
    train_images, train_labels = load("train")
    checkpoint = found["run"]["checkpoints"][0]
    bank_taps = {}
    for start in range(0, len(train_images), 200):
        for name, value in forward(weights[checkpoint], train_images[start : start + 200])[0].items():
            kinds = ["cls", "spatial", "both"] if value.ndim == 3 and name != "patch_embed" else ["spatial"]
            for kind in kinds:
                bank_taps.setdefault((name, kind), []).append(embedding(name, value, kind))
    settings = found["settings"]
    for entry in found["taps"]:
        bank = torch.cat(bank_taps[entry["tap"], entry["embedding"]]).double().numpy()
        queries = embedding(entry["tap"], networks[checkpoint][0][entry["tap"]], entry["embedding"]).double().numpy()
        unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (bank, queries)]
        similarity = unit[1] @ unit[0].T
        nearest = np.argsort(-similarity, 1, kind="stable")[:, : settings["used"]]
        votes = np.take_along_axis(similarity, nearest, 1)
        votes = np.ones_like(votes) if settings["weights"] == "uniform" else np.exp(votes / settings["temperature"])
        scores = np.stack([(votes * (train_labels[nearest] == k)).sum(1) for k in range(len(classes))], 1)
        scores /= scores.sum(1, keepdims=True)
        compare_metrics(f"knn {entry['tap']} {entry['embedding']}", entry["knn"], scores, test_labels, 1e-3)

found = document("cka")
if found:
    for matrix in found["matrices"]:
        tokens = {"all": slice(None), "cls": slice(0, 1), "spatial": slice(1, None)}[matrix["tokens"]]
        sides = []
        for side in ("left", "right"):
            taps = networks[matrix[side]["checkpoint"]][0]
            sides.append([
                (taps[name] if taps[name].ndim == 4 or name == "patch_embed" else taps[name][:, tokens]).flatten(1)
                for name in matrix["taps"]
            ])
        mine = cka(*sides, found["settings"]["batch"], found["settings"]["estimator"])
        name = f"cka {matrix['tokens']} {matrix['left']['checkpoint']} {matrix['right']['checkpoint']}"
        compare(name, mine, matrix["values"], 1e-5)

found = document("l2")
if found:
    mine = []
    for entry in found["taps"]:
        # Convolutions and linear layers by the rank of their weights; a norm's are one-dimensional.
        own = [n for n in weights["best"] if n.startswith(entry["tap"] + ".")]
        layers = {n.rsplit(".", 1)[0] for n in own if n.endswith(".weight") and weights["best"][n].ndim >= 2}
        own = [n for n in own if n.rsplit(".", 1)[0] in layers]
        moved = np.concatenate([(weights["best"][n].double() - weights["initial"][n].double()).flatten().numpy() for n in own])
        mine.append(np.linalg.norm(moved) / moved.size)
    compare("l2", mine, [entry["distance"] for entry in found["taps"]], 1e-6)

found = document("reinit")
if found:
    for entry in found["taps"]:
        mixed = {
            name: weights["initial" if name.startswith(entry["tap"] + ".") else "best"][name] for name in weights["best"]
        }
        scores = forward(mixed, test_images)[1].double().softmax(1).numpy()
        compare_metrics(f"reinit {entry['tap']}", entry["evaluation"], scores, test_labels)

found = document("attention")
if found:
    grid, size = found["grid"], found["patchSize"]
    centres = np.array([(r, c) for r in range(grid) for c in range(grid)]) * size
    distance = np.linalg.norm(centres[:, None] - centres[None], axis=-1)
    for entry in found["layers"]:
        a = networks[found["run"]["checkpoints"][0]][2][entry["tap"]][:, :, 1:, 1:].double().numpy()
        a = a / a.sum(-1, keepdims=True)
        compare(f"attention {entry['tap']}", (a * distance).sum(-1).mean((0, 2)), entry["heads"], 1e-5)

if not compared:
    sys.exit(f"error: {flags.run}: expected analyses, got none")
print(f"{len(failures)} differ" + "".join(f"\n  {name}" for name in failures))
sys.exit(1 if failures else 0)
