#!/usr/bin/env bash
# Everything that a GPU can be asked, on any machine with Node, a C++ compiler and a Python that has torch for
# CUDA, torchvision of the same make and numpy (python3 -m venv .venv && .venv/bin/pip install torch torchvision numpy):
#   scripts/gpu-check.sh [PYTHON] [DEVICE]     (default: python3 cuda)
# Builds the addon against that torch, runs the tests that touch LibTorch on it and the device tests on the
# GPU, then the training and feature benchmarks of every model at batch 64 and 256 beside PyTorch (eager with
# AMP and channels-last; torch.compile), and writes the table under bench/results/.
# DEVICE cpu tries the script itself where there is no GPU: BATCHES=2 ROUNDS=1 scripts/gpu-check.sh python3 cpu
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3}
device=${2:-cuda}
batches=${BATCHES:-64,256}
rounds=${ROUNDS:-3}
only=${ONLY:-}

if ! why=$("$python" -c 'import numpy, torch, torchvision' 2>&1); then
  echo "error: gpu-check: expected a Python with torch, torchvision and numpy, got $python: ${why##*$'\n'}" \
    "(scripts/gpu-check.sh PYTHON)" >&2
  exit 2
fi
if [ "$device" != cpu ] && ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  echo "error: gpu-check: expected a torch that sees a GPU, got one that sees none (carryover doctor says why)" >&2
  exit 2
fi

. scripts/python-libtorch.sh
python_libtorch "$python"
# A fresh clone is set up with this torch; another set-up stays as it is.
[ -e native/build/current.json ] || export LIBTORCH=$torch
node scripts/setup.mjs
node scripts/build-native.mjs --libtorch "$torch" --out "$out"
export CARRYOVER_ADDON="$PWD/$out/carryover.node"

echo "== tests on the processor, with this LibTorch"
node node_modules/vitest/vitest.mjs run test/tensor test/nn test/models/golden.test.ts test/train/parity.test.ts
echo "== tests on $device"
CARRYOVER_TEST_DEVICE="$device" node node_modules/vitest/vitest.mjs run test/device
echo "== benchmarks on $device"
node --import tsx bench/main.ts gpu --device "$device" --batch "$batches" --rounds "$rounds" \
  --python "$(command -v "$python")" ${only:+--only "$only"}
