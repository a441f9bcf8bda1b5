// A step of Adam or AdamW on the processor that reads and writes every number once, where LibTorch's kernels for
// lists of tensors pass over them some twenty times.
//
// An addon of its own: loading it registers the operator `carryover::adam_`, which is called as all operators
// are, through the dispatcher. Without it the step is LibTorch's.
#include <ATen/ATen.h>
#include <node_api.h>
#include <torch/library.h>

#include <cmath>
#include <vector>

#include "shared/threads.h"

// The same sums on every processor, in vectors as wide as it has.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define WIDEST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDEST
#endif

namespace {

/// Numbers of one tensor that one thread works on at a time.
constexpr int64_t kBlock = 1 << 14;

struct Block {
  float *parameter, *gradient, *first, *second;
  int64_t count;
};

/// What is the same for all elements of a step.
struct Step {
  float gradient_scale, decay, shrink, beta1, rest1, beta2, rest2, root_correction, epsilon, rate;
};

// In the order of operations of `torch.optim.Adam(foreach=True)`.
WIDEST void advance(const Block& block, const Step& s) {
  float* __restrict p = block.parameter;
  float* __restrict g = block.gradient;
  float* __restrict m = block.first;
  float* __restrict v = block.second;
  for (int64_t i = 0; i < block.count; i++) {
    const float clipped = g[i] * s.gradient_scale;
    g[i] = clipped;
    const float gradient = clipped + s.decay * p[i];
    m[i] = m[i] * s.beta1 + s.rest1 * gradient;
    v[i] = v[i] * s.beta2 + s.rest2 * gradient * gradient;
    p[i] = p[i] * s.shrink - s.rate * m[i] / (std::sqrt(v[i]) / s.root_correction + s.epsilon);
  }
}

bool is_plain(const at::Tensor& tensor, const at::Tensor& like) {
  return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_non_overlapping_and_dense() &&
         tensor.sizes() == like.sizes() && tensor.strides() == like.strides();
}

/// False, with nothing done, where the tensors are not float32 that lies densely and alike.
bool adam_(at::TensorList parameters, at::TensorList gradients, at::TensorList first, at::TensorList second,
           const c10::optional<at::Tensor>& gradient_scale, double rate, double beta1, double beta2, double epsilon, double weight_decay,
           int64_t step, bool decoupled) {
  const size_t count = parameters.size();
  TORCH_CHECK(gradients.size() == count && first.size() == count && second.size() == count,
              "carryover::adam_: expected as many gradients and moments as parameters");
  std::vector<Block> blocks;
  for (size_t index = 0; index < count; index++) {
    const at::Tensor &parameter = parameters[index], &gradient = gradients[index];
    for (const at::Tensor* each : {&parameter, &gradient, &first[index], &second[index]}) {
      if (!is_plain(*each, parameter)) return false;
    }
    for (int64_t from = 0; from < parameter.numel(); from += kBlock) {
      blocks.push_back({parameter.data_ptr<float>() + from, gradient.data_ptr<float>() + from,
                        first[index].data_ptr<float>() + from, second[index].data_ptr<float>() + from,
                        std::min(kBlock, parameter.numel() - from)});
    }
  }
  const double steps = static_cast<double>(step);
  const auto single = [](double value) { return static_cast<float>(value); };
  const Step shared = {gradient_scale ? gradient_scale->item<float>() : 1.0f,
                       single(decoupled ? 0 : weight_decay),
                       single(decoupled ? 1 - rate * weight_decay : 1),
                       single(beta1),
                       single(1 - beta1),
                       single(beta2),
                       single(1 - beta2),
                       single(std::sqrt(1 - std::pow(beta2, steps))),
                       single(epsilon),
                       single(rate / (1 - std::pow(beta1, steps)))};
  carryover::Threads().share(static_cast<int64_t>(blocks.size()), [&](int64_t from, int64_t to) {
    for (int64_t index = from; index < to; index++) advance(blocks[index], shared);
  });
  // What autograd saved of them before is of old numbers.
  for (size_t index = 0; index < count; index++) {
    for (const at::Tensor* each : {&parameters[index], &gradients[index], &first[index], &second[index]}) {
      if (!each->is_inference()) each->unsafeGetTensorImpl()->bump_version();
    }
  }
  return true;
}

TORCH_LIBRARY_FRAGMENT(carryover, library) {
  library.def(
      "adam_(Tensor(a!)[] parameters, Tensor(b!)[] gradients, Tensor(c!)[] first, Tensor(d!)[] second, "
      "Tensor? gradient_scale, float rate, float beta1, float beta2, float epsilon, float weight_decay, int step, "
      "bool decoupled) -> bool");
  library.impl("adam_", c10::DispatchKey::CompositeExplicitAutograd, TORCH_FN(adam_));
}

}  // namespace

NAPI_MODULE_INIT() {
  (void)env;
  return exports;
}
