#!/usr/bin/env python3
"""Golden values of the analyses, each by an independent and plain way.

k-NN by float64 numpy over all pairs, CKA by a minibatch implementation in PyTorch, unbiased HSIC by sums
over distinct indices (Song et al. 2012, equation 4), FID by scipy.linalg.sqrtm, logistic regression by
scikit-learn, calibration by a loop. Inputs are drawn here and committed beside the results.

Writes test/golden/analysis/*.json. Run: /usr/bin/python3 scripts/golden/analysis_measures.py
"""
import itertools
import json
import math
import pathlib

import numpy as np
import scipy.linalg
import sklearn
import sklearn.linear_model
import sklearn.metrics
import torch

OUT = pathlib.Path(__file__).resolve().parents[2] / "test/golden/analysis"


def rounded(values, digits=7):
    """float32 values as they are written, so that both sides compute from the same numbers."""
    return np.round(np.asarray(values, dtype=np.float64), digits).astype(np.float32)


def listed(array):
    return [float(value) for value in np.asarray(array, dtype=np.float64).reshape(-1)]


def shortest(array):
    """float32 values with the digits that tell them apart."""
    return [float(f"{float(value):.9g}") for value in np.asarray(array, dtype=np.float32).reshape(-1)]


# k-NN


def knn_scores(bank, labels, queries, k, temperature, classes, multilabel):
    bank, queries = bank.astype(np.float64), queries.astype(np.float64)
    bank = bank / np.linalg.norm(bank, axis=1, keepdims=True)
    queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    similarities = queries @ bank.T
    k = min(k, len(bank))
    targets = np.asarray(labels, dtype=np.float64) if multilabel else np.eye(classes)[labels]
    scores, chosen = [], []
    for row in similarities:
        nearest = np.argsort(-row, kind="stable")[:k]
        weights = np.ones(k) if temperature is None else np.exp(row[nearest] / temperature)
        scores.append((weights[:, None] * targets[nearest]).sum(0) / weights.sum())
        chosen.append(nearest)
    return np.array(scores), np.array(chosen)


def knn_case(random, name, bank, queries, width, classes, k, temperature=0.1, multilabel=False):
    centres = random.normal(size=(classes, width))
    if multilabel:
        labels = random.integers(0, 2, (bank, classes))
        test = random.integers(0, 2, (queries, classes))
        points = lambda rows: rows @ centres + random.normal(size=(len(rows), width)) * 1.5
    else:
        labels = random.integers(0, classes, bank)
        test = random.integers(0, classes, queries)
        points = lambda rows: centres[rows] + random.normal(size=(len(rows), width)) * 1.5
    features, other = rounded(points(labels), 3), rounded(points(test), 3)
    scores, nearest = knn_scores(features, labels, other, k, temperature, classes, multilabel)
    if multilabel:
        auc = [float(sklearn.metrics.roc_auc_score(test[:, c], scores[:, c])) for c in range(classes)]
        metric = float(np.mean(auc))
    else:
        metric = float(sklearn.metrics.balanced_accuracy_score(test, scores.argmax(1)))
    return {
        "name": name, "width": width, "classes": classes, "k": k, "temperature": temperature,
        "multilabel": multilabel, "bank": shortest(features), "labels": np.asarray(labels).reshape(-1).tolist(),
        "queries": shortest(other), "test": np.asarray(test).reshape(-1).tolist(),
        "scores": listed(scores), "nearest": nearest[:, :5].tolist(), "metric": metric,
    }


# HSIC and CKA


def hsic_brute(x, y):
    """Unbiased HSIC by its definition: means over tuples of distinct samples (Song et al., equation 4)."""
    k, l = x @ x.T, y @ y.T
    n = len(k)
    pairs = sum(k[i, j] * l[i, j] for i, j in itertools.permutations(range(n), 2))
    quads = sum(k[i, j] * l[q, r] for i, j, q, r in itertools.permutations(range(n), 4))
    triples = sum(k[i, j] * l[i, q] for i, j, q in itertools.permutations(range(n), 3))
    falling = lambda m: math.prod(n - t for t in range(m))
    return pairs / falling(2) + quads / falling(4) - 2 * triples / falling(3)


def hsic(k, l):
    """Unbiased HSIC by the closed form (Song et al., equation 5), as torch_cka has it."""
    n = len(k)
    k, l = k - torch.diag(torch.diag(k)), l - torch.diag(torch.diag(l))
    ones = torch.ones(n, 1, dtype=k.dtype)
    value = torch.trace(k @ l)
    value = value + (ones.T @ k @ ones * (ones.T @ l @ ones)).item() / ((n - 1) * (n - 2))
    value = value - (ones.T @ k @ l @ ones).item() * 2 / (n - 2)
    return value.item() / (n * (n - 3))


def cka(left, right, batch):
    """left, right: lists of [N, ...] arrays. Both estimators."""
    count = len(left[0])
    starts = [s for s in range(0, count, batch) if min(batch, count - s) >= 4]
    cross = np.zeros((len(starts), len(left), len(right)))
    own = np.zeros((len(starts), len(left)))
    other = np.zeros((len(starts), len(right)))
    for at, start in enumerate(starts):
        flat = lambda v: torch.from_numpy(np.asarray(v[start:start + batch], dtype=np.float64)).flatten(1)
        grams = lambda group: [flat(v) @ flat(v).T for v in group]
        lefts, rights = grams(left), grams(right)
        for i, k in enumerate(lefts):
            own[at, i] = hsic(k, k)
            for j, l in enumerate(rights):
                cross[at, i, j] = hsic(k, l)
        for j, l in enumerate(rights):
            other[at, j] = hsic(l, l)
    means = cross.mean(0) / np.sqrt(own.mean(0)[:, None] * other.mean(0)[None])
    ratios = (cross / np.sqrt(own[:, :, None] * other[:, None])).mean(0)
    return means, ratios


def cka_golden(random):
    count, batch = 21, 8
    base = random.normal(size=(count, 6))
    left = [
        rounded(base @ random.normal(size=(6, 3 * 4 * 4)), 4).reshape(count, 3, 4, 4),
        rounded(np.maximum(base @ random.normal(size=(6, 10)), 0) + 3, 4),
        rounded(random.normal(size=(count, 5, 7)), 4),
    ]
    right = [
        rounded(np.tanh(base @ random.normal(size=(6, 12))), 4),
        rounded(base @ random.normal(size=(6, 20)) + 0.3 * random.normal(size=(count, 20)), 4),
    ]
    means, ratios = cka(left, right, batch)
    tap = lambda value: {"shape": list(value.shape), "values": shortest(value)}
    small = [(5, 3, 2), (6, 4, 4), (7, 1, 3)]
    brute = []
    for n, first, second in small:
        x, y = rounded(random.normal(size=(n, first)), 4), rounded(random.normal(size=(n, second)), 4)
        y[:, 0] += x[:, 0]
        y = rounded(y, 4)
        value = hsic_brute(x.astype(np.float64), y.astype(np.float64))
        brute.append({"x": tap(x), "y": tap(y), "hsic": value})
    return {
        "batch": batch, "left": [tap(v) for v in left], "right": [tap(v) for v in right],
        "ratioOfMeans": means.tolist(), "meanOfRatios": ratios.tolist(), "brute": brute,
    }


# FID


def frechet(mu1, sigma1, mu2, sigma2):
    """pytorch-fid's calculate_frechet_distance."""
    root, _ = scipy.linalg.sqrtm(sigma1 @ sigma2, disp=False)
    if not np.isfinite(root).all():
        offset = np.eye(len(sigma1)) * 1e-6
        root = scipy.linalg.sqrtm((sigma1 + offset) @ (sigma2 + offset))
    difference = mu1 - mu2
    return float(difference @ difference + np.trace(sigma1) + np.trace(sigma2) - 2 * np.trace(root.real))


def features_by_formula(seed, count, width):
    """Features that both languages compute alike: a linear congruential generator, mixed and rectified."""
    state, values = seed, np.empty(count * width)
    for at in range(count * width):
        state = (1664525 * state + 1013904223) % 4294967296
        values[at] = state / 4294967296
    noise = values.reshape(count, width)
    mixed = noise + 0.5 * np.roll(noise, 1, axis=1) * (1 + np.arange(width) / width)
    return np.float32(mixed * (1 + (seed % 7) / 10)).astype(np.float64)


def fid_golden():
    cases = []
    for name, first, second, width in [
        ("many samples", (1, 3000), (2, 3000), 16),
        ("fewer samples than features", (3, 20), (4, 30), 32),
        ("one full, one singular", (5, 200), (6, 12), 24),
    ]:
        x, y = (features_by_formula(seed, count, width) for seed, count in (first, second))
        cov = lambda v: np.cov(v, rowvar=False)
        cases.append({
            "name": name, "width": width, "first": list(first), "second": list(second),
            "mean": listed(x.mean(0)[:4]), "covariance": listed(cov(x)[1, :4]),
            "fid": frechet(x.mean(0), cov(x), y.mean(0), cov(y)),
        })
    return cases


# Linear probe


def probe_golden(random):
    cases = []
    for name, classes, kind in [("three classes", 3, "classes"), ("two classes", 2, "classes"), ("labels", 2, "labels")]:
        centres = random.normal(size=(classes, 5))
        labels = random.integers(0, 2, (40, classes)) if kind == "labels" else random.integers(0, classes, 40)
        points = (labels @ centres if kind == "labels" else centres[labels]) + random.normal(size=(40, 5))
        x = rounded(points, 3)
        for strength in (0.1, 10.0):
            def fit(target):
                model = sklearn.linear_model.LogisticRegression(C=strength, tol=1e-10, max_iter=10000)
                return model.fit(x.astype(np.float64), target)
            if kind == "labels":
                models = [fit(labels[:, c]) for c in range(classes)]
                weights = np.stack([m.coef_[0] for m in models], 1)
                intercept = np.array([m.intercept_[0] for m in models])
            else:
                model = fit(labels)
                weights, intercept = model.coef_.T, model.intercept_
                if classes > 2:
                    intercept = intercept - intercept.mean()
            cases.append({
                "name": f"{name}, C = {strength}", "kind": kind, "classes": classes, "strength": strength,
                "x": shortest(x), "labels": np.asarray(labels).reshape(-1).tolist(),
                "weights": listed(weights), "intercept": listed(intercept),
            })
    return cases


# Calibration


def calibration_golden(random):
    confidence = np.concatenate([random.random(300), [0.0, 1.0, 0.2, 0.4, 1 / 3]])
    outcome = (random.random(len(confidence)) < confidence ** 1.5).astype(float)
    result = []
    for bins in (5, 15):
        error, worst, counts = 0.0, 0.0, []
        for b in range(bins):
            low, high = b / bins, (b + 1) / bins
            inside = (confidence > low) & (confidence <= high) if b else confidence <= high
            counts.append(int(inside.sum()))
            if inside.any():
                gap = abs(outcome[inside].mean() - confidence[inside].mean())
                error += inside.mean() * gap
                worst = max(worst, gap)
        result.append({"bins": bins, "expectedError": error, "greatestError": worst, "counts": counts})
    return {"confidence": listed(confidence), "outcome": listed(outcome), "cases": result}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(20220613)
    write = lambda name, content: (OUT / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")
    write("knn", [
        knn_case(random, "classes", 300, 60, 12, 4, 50),
        knn_case(random, "bank smaller than k", 30, 20, 6, 3, 200),
        knn_case(random, "uniform votes", 120, 40, 8, 5, 20, temperature=None),
        knn_case(random, "labels", 150, 50, 8, 3, 40, multilabel=True),
        knn_case(random, "sharp votes", 150, 50, 8, 3, 40, temperature=0.01),
    ])
    write("cka", cka_golden(random))
    write("fid", fid_golden())
    write("probe", probe_golden(random))
    write("calibration", calibration_golden(random))
    print("numpy", np.__version__, "sklearn", sklearn.__version__, "torch", torch.__version__)


if __name__ == "__main__":
    main()
