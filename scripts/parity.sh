#!/usr/bin/env bash
# Training parity at full size: ResNet-50 and DeiT-S at 224 px, batch 16, the same weights and batches,
# five AdamW steps in PyTorch (float32) and here. Prints the losses and fails above 1e-4 relative.
# Takes some minutes on two cores. PYTHON: a Python with torch and torchvision (default /usr/bin/python3).
set -euo pipefail
cd "$(dirname "$0")/.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"${PYTHON:-/usr/bin/python3}" scripts/golden/train_losses.py --full "$work/losses.json"
node --import tsx scripts/parity.ts "$work/losses.json"
