#!/usr/bin/env bash
# Builds the addon against the torch of a Python environment, in a folder of its own, and runs the
# tests that touch LibTorch there: scripts/test-libtorch2.sh /path/to/python [test folders]
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -lt 1 ]; then
  echo "error: expected the path of a Python that has torch (scripts/test-libtorch2.sh PYTHON)" >&2
  exit 2
fi
python=$1
shift
. scripts/python-libtorch.sh
python_libtorch "$python"

node scripts/build-native.mjs --libtorch "$torch" --out "$out"
if [ $# -eq 0 ]; then
  set -- test/tensor test/nn test/models test/weights test/transfer test/train
fi
CARRYOVER_ADDON="$PWD/$out/carryover.node" node node_modules/vitest/vitest.mjs run "$@"
