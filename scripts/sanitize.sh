#!/usr/bin/env bash
# Builds the addons with AddressSanitizer, in a folder of its own, and runs the tests of tensors, of
# our kernels and of JPEG files with them.
# Memory that Node and LibTorch keep until the process ends is no leak of ours: leaks are not
# reported; the tests' own live-tensor counter looks for those.
set -euo pipefail
cd "$(dirname "$0")/.."

out=native/build/address-sanitizer
node scripts/build-native.mjs --sanitize address --out "$out"
files=("$@")
[ $# -gt 0 ] || files=(test/tensor test/nn/convolution.test.ts test/nn/batchNorm.test.ts test/nn/mixedTypes.test.ts test/nn/fused.test.ts test/analysis/kernels.test.ts test/data/plainJpeg.test.ts)
runtime=$("${CXX:-c++}" -print-file-name=libasan.so)

# vitest starts its own workers; each inherits the runtime, which must be loaded before Node's own
# allocator. LibTorch's and V8's signal handlers and guard pages are theirs, not errors.
LD_PRELOAD="$runtime" \
  ASAN_OPTIONS="detect_leaks=0:handle_segv=0:allow_user_segv_handler=1:abort_on_error=1" \
  CARRYOVER_ADDON="$PWD/$out/carryover.node" CARRYOVER_JPEG_ADDON="$PWD/$out/jpeg.node" \
  node node_modules/vitest/vitest.mjs run "${files[@]}"
