// GELU in bfloat16 on the processor, forward and backward, in a third of the time of oneDNN's kernel, which is bound by
// its arithmetic and not by memory.
//
// An addon of its own. Loading it registers the operator `carryover::gelu`, which equals `aten::gelu` up to
// bfloat16's rounding and is called as all operators are, through the dispatcher. What is not bfloat16 that lies densely
// goes to `aten::gelu`.
#include <ATen/ATen.h>
#include <node_api.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>

#include "shared/lanes.h"
#include "shared/threads.h"

namespace carryover {
namespace {

/// So many vectors are computed side by side, a step of all before the next: each step waits for the one before.
constexpr int kSide = 4;

/// step(0), step(1), … in a row.
template <typename Step>
INLINE void each(const Step& step) {
#pragma GCC unroll 4
  for (int i = 0; i < kSide; i++) step(i);
}
#define STEP [&](int i) __attribute__((always_inline))

/// e^y of y that is not positive, to 2e-7 relative; 0 below -87.
INLINE void exponential(Lanes* y, Lanes* result) {
  // The integer part in the lower bits of a large number, where the exponent can take it from.
  constexpr float kLarge = 12582912.0f + 127;
  Lanes shifted[kSide], series[kSide];
  const Lanes least = Lanes{} - 87.0f;
  each(STEP { y[i] = y[i] < least ? least : y[i]; });
  each(STEP { shifted[i] = y[i] * 1.44269504f + kLarge; });
  each(STEP { y[i] -= (shifted[i] - kLarge) * 0.693147181f; });
  each(STEP { series[i] = 0.0416666667f + y[i] * 0.00833333333f; });
  each(STEP { series[i] = 0.166666667f + y[i] * series[i]; });
  each(STEP { series[i] = 0.5f + y[i] * series[i]; });
  each(STEP { series[i] = 1.0f + y[i] * series[i]; });
  each(STEP { series[i] = 1.0f + y[i] * series[i]; });
  each(STEP { result[i] = series[i] * (Lanes)((Bits)shifted[i] << 23); });
}

/// Φ(x) and e^(-x²/2), by Abramowitz and Stegun 7.1.26: 1 - erf to 1.5e-7.
INLINE void distribution(const Lanes* x, Lanes* probability, Lanes* bell) {
  const Lanes zero = {};
  Lanes distance[kSide], exponent[kSide], t[kSide], tail[kSide];
  each(STEP { distance[i] = (x[i] < zero ? -x[i] : x[i]) * 0.707106781f; });
  each(STEP { t[i] = 1.0f / (1.0f + 0.3275911f * distance[i]); });
  each(STEP { exponent[i] = -distance[i] * distance[i]; });
  exponential(exponent, bell);
  each(STEP { tail[i] = -1.453152027f + t[i] * 1.061405429f; });
  each(STEP { tail[i] = 1.421413741f + t[i] * tail[i]; });
  each(STEP { tail[i] = -0.284496736f + t[i] * tail[i]; });
  each(STEP { tail[i] = 0.254829592f + t[i] * tail[i]; });
  each(STEP { tail[i] *= 0.5f * bell[i] * t[i]; });
  each(STEP { probability[i] = x[i] < zero ? tail[i] : 1.0f - tail[i]; });
}

/// body(some of each input, results) for all numbers; the last ones through a copy.
template <typename Body>
INLINE void map(const uint16_t* first, const uint16_t* second, uint16_t* to, int64_t count, const Body& body) {
  constexpr int64_t kNumbers = kSide * kLanes;
  Lanes a[kSide], b[kSide], results[kSide];
  const auto some = [&](const uint16_t* x, const uint16_t* y, uint16_t* result) __attribute__((always_inline)) {
    each(STEP { read(x + i * kLanes, a[i]); });
    each(STEP { read(y + i * kLanes, b[i]); });
    body(a, b, results);
    each(STEP { write(results[i], result + i * kLanes); });
  };
  int64_t at = 0;
  for (; at + kNumbers <= count; at += kNumbers) some(first + at, second + at, to + at);
  if (at == count) return;
  uint16_t rest[3][kNumbers] = {};
  std::copy(first + at, first + count, rest[0]);
  std::copy(second + at, second + count, rest[1]);
  some(rest[0], rest[1], rest[2]);
  std::copy_n(rest[2], count - at, to + at);
}

WIDEST void gelu(const uint16_t* x, uint16_t* to, int64_t count) {
  map(x, x, to, count, [](const Lanes* x, const Lanes*, Lanes* result) __attribute__((always_inline)) {
    Lanes probability[kSide], bell[kSide];
    distribution(x, probability, bell);
    each(STEP { result[i] = x[i] * probability[i]; });
  });
}

/// dy · (Φ(x) + x φ(x))
WIDEST void gelu_gradient(const uint16_t* x, const uint16_t* gradient, uint16_t* to, int64_t count) {
  map(x, gradient, to, count, [](const Lanes* x, const Lanes* slope, Lanes* result) __attribute__((always_inline)) {
    Lanes probability[kSide], bell[kSide];
    distribution(x, probability, bell);
    each(STEP { result[i] = slope[i] * (probability[i] + x[i] * bell[i] * 0.398942280f); });
  });
}

uint16_t* numbers(const at::Tensor& tensor) { return static_cast<uint16_t*>(tensor.data_ptr()); }

at::Tensor forward(const at::Tensor& input) {
  const at::Tensor result = at::empty_like(input);
  Threads().share(input.numel(), [&](int64_t from, int64_t to) {
    gelu(numbers(input) + from, numbers(result) + from, to - from);
  });
  return result;
}

struct Gelu : torch::autograd::Function<Gelu> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({input});
    return carryover::forward(input);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "carryover::gelu: expected first derivatives only");
    const at::Tensor input = context->get_saved_variables()[0], result = at::empty_like(input);
    const bool is_alike = gradients[0].scalar_type() == at::kBFloat16 && gradients[0].strides() == input.strides();
    const at::Tensor gradient = is_alike ? gradients[0] : at::empty_like(input).copy_(gradients[0]);
    Threads().share(input.numel(), [&](int64_t from, int64_t to) {
      gelu_gradient(numbers(input) + from, numbers(gradient) + from, numbers(result) + from, to - from);
    });
    return {result};
  }
};

at::Tensor gelu_of(const at::Tensor& input) {
  const bool is_taken = input.device().is_cpu() && input.scalar_type() == at::kBFloat16 && input.numel() > 0 &&
                        input.is_non_overlapping_and_dense();
  return is_taken ? Gelu::apply(input) : at::gelu(input);
}

TORCH_LIBRARY_FRAGMENT(carryover, library) { library.def("gelu(Tensor input) -> Tensor", gelu_of); }

}  // namespace
}  // namespace carryover

NAPI_MODULE_INIT() {
  (void)env;
  return exports;
}
