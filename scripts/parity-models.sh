#!/usr/bin/env bash
# Every network at full size against PyTorch: random weights made in Python, saved by torch.save and read here;
# 8 real images; logits and every tap's embedding within 1e-4, parameter counts exactly, and, for each family,
# loss and gradients of a train-mode pass within 1e-3, in float32 (with a Python whose PyTorch is the LibTorch
# here: see scripts/golden/models_full.py) and float64. Some minutes and some gigabytes of temporary files.
#
#   scripts/parity-models.sh [--images FOLDER] [--models resnet18,deit_tiny] [--no-training]
#
# FOLDER: any folder with at least 8 .jpg or .png (default: pictures of ../shared/data). PYTHON: a Python with
# torch, torchvision and Pillow, and, if it may be, timm (default /usr/bin/python3).
set -euo pipefail
cd "$(dirname "$0")/.."
images=../shared/data
arguments=()
while [ $# -gt 0 ]; do
  case "$1" in
    --images) images="$2"; shift 2 ;;
    --models) arguments+=(--models "$2"); shift 2 ;;
    --no-training) arguments+=(--no-training); shift ;;
    *) echo "error: $1: expected --images, --models or --no-training" >&2; exit 2 ;;
  esac
done
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"${PYTHON:-/usr/bin/python3}" scripts/golden/models_full.py --images "$images" --out "$work" "${arguments[@]}"
node --import tsx scripts/parity-models.ts "$work"
