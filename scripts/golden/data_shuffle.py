"""Python's random.Random(seed).shuffle, and the splits of the paper's released code.

Run: python3 scripts/golden/data_shuffle.py
"""
import hashlib
import random
import sys

from data_common import write


def digest(values):
    return hashlib.sha256(",".join(map(str, values)).encode("ascii")).hexdigest()


def released(total, held):
    """`get_validation_ids` of the released code, and the halves that its data sets make of it."""
    indices = list(range(total))
    held = int(total * held)
    random.Random(42).shuffle(indices)
    rest = indices[:held]
    half = int(len(rest) / 2)
    return {"train": indices[held:], "val": rest[:half], "test": rest[half:]}


def main():
    shuffles = []
    for seed, count in [(42, 1), (42, 2), (42, 10), (42, 200), (0, 50), (2**40 + 7, 50)]:
        values = list(range(count))
        random.Random(seed).shuffle(values)
        shuffles.append({"seed": seed, "count": count, "order": values})
    long = list(range(25331))
    random.Random(42).shuffle(long)
    splits = []
    for name, total, ratios in [
        ("ISIC 2019", 25331, [0.8, 0.1, 0.1]),
        ("APTOS 2019", 3662, [0.7, 0.15, 0.15]),
        ("small", 37, [0.8, 0.1, 0.1]),
    ]:
        parts = released(total, ratios[1] + ratios[2])
        entry = {"name": name, "total": total, "ratios": ratios}
        for split, members in parts.items():
            entry[split] = {"count": len(members), "sha256": digest(sorted(members))}
        splits.append(entry)
    content = {"python": sys.version.split()[0], "shuffles": shuffles}
    write("shuffle", {**content, "long": {"count": len(long), "sha256": digest(long)}, "splits": splits})


main()
