// 1 × 1 convolutions are products of matrices [pixels, channels]. oneDNN 2 computes them forward at the processor's
// pace; its kernels for the way back take up to twice as long as the same products by its `sgemm`.
#include "pointwise.h"

#include "shared/products.h"
#include "shared/threads.h"

namespace carryover::pointwise {
namespace {

/// So many pixels a thread make it worth adding up the threads' sums.
constexpr int64_t kPixels = 1024;

}  // namespace

void input_gradient(const at::Tensor& gradient, const at::Tensor& weight, const at::Tensor& result) {
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  const float *from = gradient.data_ptr<float>(), *factors = weight.data_ptr<float>();
  float* to = result.data_ptr<float>();
  Threads().share(gradient.numel() / outputs, [&](int64_t first, int64_t last) {
    multiply(last - first, inputs, outputs, {from + first * outputs, outputs}, {factors, inputs}, false,
             to + first * inputs, inputs);
  });
}

void weight_gradient(const at::Tensor& images, const at::Tensor& gradient, const at::Tensor& result) {
  const int64_t outputs = result.size(0), inputs = result.size(1), pixels = gradient.numel() / outputs;
  const float *x = images.data_ptr<float>(), *y = gradient.data_ptr<float>();
  float* sums = result.data_ptr<float>();
  Threads threads;
  const int64_t parts = at::get_num_threads();
  if (pixels < kPixels * parts) {
    threads.share(outputs, [&](int64_t first, int64_t last) {
      multiply(last - first, inputs, pixels, {y + first, outputs, true}, {x, inputs}, false, sums + first * inputs, inputs);
    });
    return;
  }
  // The first part's sums are the result, to which the others' are added.
  const int64_t count = outputs * inputs;
  const at::Tensor others = at::empty({(parts - 1) * count}, result.options().memory_format(c10::nullopt));
  float* rest = others.data_ptr<float>() - count;
  threads.share(parts, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++) {
      const int64_t first = part * pixels / parts, last = (part + 1) * pixels / parts;
      multiply(outputs, inputs, last - first, {y + first * outputs, outputs, true}, {x + first * inputs, inputs}, false,
               part == 0 ? sums : rest + part * count, inputs);
    }
  });
  threads.share(count, [&](int64_t begin, int64_t end) {
    for (int64_t part = 1; part < parts; part++) {
      for (int64_t i = begin; i < end; i++) sums[i] += rest[part * count + i];
    }
  });
}

}  // namespace carryover::pointwise
