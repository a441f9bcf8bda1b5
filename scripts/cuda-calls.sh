#!/usr/bin/env bash
# What training asks of CUDA, on a machine without a GPU:
#   scripts/cuda-calls.sh PYTHON [MODEL …]     (default: deit_tiny)
# PYTHON has torch for CUDA 13 (tried with 2.14) and nvidia-cuda-crt, whose headers the runtime's include. The addon
# is built against it and runs training steps and an evaluation on a "GPU" that writes down what it is asked and
# computes nothing (scripts/cuda-calls/). Prints a table; the exit code is 1 where a step or the making of a batch
# waits for the device.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -lt 1 ]; then
  echo "error: cuda-calls: expected a Python with torch for CUDA (scripts/cuda-calls.sh PYTHON [MODEL …])" >&2
  exit 2
fi
python=$1
shift
. scripts/python-libtorch.sh
python_libtorch "$python"
headers=$(dirname "$torch")/nvidia/cu13/include
for header in cuda_runtime_api.h crt/host_defines.h; do
  [ -e "$headers/$header" ] && continue
  echo "error: cuda-calls: expected $header in $headers (install torch for CUDA 13 and nvidia-cuda-crt)" >&2
  exit 2
done
node scripts/build-native.mjs --libtorch "$torch" --out "$out"

place=native/build/cuda-calls
mkdir -p "$place"
c++ -std=c++17 -O1 -shared -fPIC -isystem "$headers" scripts/cuda-calls/runtime.cc -o "$place/runtime.so"
c++ -std=c++17 -O1 -shared -fPIC -Wl,-soname,libcuda.so.1 scripts/cuda-calls/driver.cc -o "$place/libcuda.so.1"

export CARRYOVER_ADDON="$PWD/$out/carryover.node" CARRYOVER_CUDA_CALLS="$PWD/$place/calls.txt"
for model in "${@:-deit_tiny}"; do
  rm -f "$CARRYOVER_CUDA_CALLS"
  LD_LIBRARY_PATH="$PWD/$place" LD_PRELOAD="$PWD/$place/runtime.so" node --import tsx scripts/cuda-calls/count.ts "$model"
done
