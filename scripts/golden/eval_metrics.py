#!/usr/bin/env python3
"""Golden values of the metrics, from scikit-learn, on random and degenerate cases.

Writes test/golden/eval/metrics.json. Run: /usr/bin/python3 scripts/golden/eval_metrics.py
"""
import json
import pathlib
import warnings

import numpy
import sklearn
from sklearn import metrics

OUT = pathlib.Path(__file__).resolve().parents[2] / "test/golden/eval/metrics.json"


def class_case(name, labels, predictions, classes):
    labels, predictions = numpy.asarray(labels), numpy.asarray(predictions)
    every = list(range(classes))
    present = sorted(set(labels.tolist()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kappa = float(metrics.cohen_kappa_score(labels, predictions, labels=every, weights="quadratic"))
        balanced = float(metrics.balanced_accuracy_score(labels, predictions))
        recalls = metrics.recall_score(labels, predictions, labels=every, average=None, zero_division=0)
    return {
        "name": name,
        "classes": classes,
        "labels": labels.tolist(),
        "predictions": predictions.tolist(),
        "kappa": None if numpy.isnan(kappa) else kappa,
        "recall": balanced,
        "present": len(present),
        "perClass": [float(recalls[k]) if k in present else None for k in every],
        "accuracy": float(metrics.accuracy_score(labels, predictions)),
        "confusion": metrics.confusion_matrix(labels, predictions, labels=every).tolist(),
    }


def score_case(name, labels, scores):
    labels, scores = numpy.asarray(labels), numpy.asarray(scores, dtype=numpy.float64)
    both = len(set(labels.tolist())) == 2
    return {
        "name": name,
        "labels": labels.tolist(),
        "scores": scores.tolist(),
        "auc": float(metrics.roc_auc_score(labels, scores)) if both else None,
        "averagePrecision": float(metrics.average_precision_score(labels, scores)) if labels.any() else None,
    }


def main():
    random = numpy.random.default_rng(20220613)
    class_cases = []
    for classes, count in [(2, 1), (2, 50), (3, 7), (5, 200), (8, 300), (9, 40), (14, 500)]:
        labels = random.integers(0, classes, count)
        wrong = random.random(count) < 0.4
        predictions = numpy.where(wrong, random.integers(0, classes, count), labels)
        class_cases.append(class_case(f"random {classes} classes, {count} samples", labels, predictions, classes))
    skewed = random.choice(8, 400, p=[0.02, 0.7, 0.1, 0, 0.1, 0.05, 0.03, 0])
    class_cases += [
        class_case("two classes of eight absent", skewed, random.integers(0, 8, 400), 8),
        class_case("all right", [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], 5),
        class_case("all wrong, as far as can be", [0, 0, 4, 4], [4, 4, 0, 0], 5),
        class_case("one class predicted", [0, 1, 2, 3, 4], [2, 2, 2, 2, 2], 5),
        class_case("one label, several predictions", [1, 1, 1], [0, 1, 2], 3),
        class_case("one label, one other prediction", [1, 1, 1], [2, 2, 2], 3),
        class_case("one class everywhere", [1, 1, 1], [1, 1, 1], 3),
    ]
    score_cases = []
    for count, decimals in [(2, 6), (20, 6), (200, 1), (200, 8), (1000, 2)]:
        labels = random.integers(0, 2, count)
        labels[0], labels[1] = 0, 1
        scores = numpy.round(random.normal(size=count) + 0.7 * labels, decimals)
        score_cases.append(score_case(f"random, {count} samples, {decimals} decimals", labels, scores))
    rare = (numpy.arange(300) == 17).astype(int)
    score_cases += [
        score_case("one positive of 300", rare, random.normal(size=300)),
        score_case("all scores equal", [0, 1, 1, 0, 1], [0.3] * 5),
        score_case("perfect", [0, 0, 1, 1], [-2, -1, 1, 2]),
        score_case("reversed", [0, 0, 1, 1], [2, 1, -1, -2]),
        score_case("no positive", [0, 0, 0], [1, 2, 3]),
        score_case("no negative", [1, 1, 1], [1, 2, 3]),
        score_case("large magnitudes", [0, 1, 0, 1], [-1e300, 1e300, 1e-300, -1e-300]),
    ]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"sklearn": sklearn.__version__, "class": class_cases, "score": score_cases}) + "\n")


if __name__ == "__main__":
    main()
