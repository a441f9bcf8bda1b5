// Layer norm on the processor, from float32 or bfloat16 to either: LibTorch 1.13 mixes no types, so that under autocast
// the input is widened before and the result narrowed after it, each in a pass of its own. Registers the operator
// `carryover::layer_norm`, which equals `aten::layer_norm` up to rounding.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <vector>

#include "rows.h"
#include "shared/lanes.h"
#include "shared/threads.h"

namespace carryover {
namespace {

/// Rows whose sums are float32.
constexpr int64_t kBlock = 64;

INLINE float total(const Lanes& lanes) {
  float sum = 0;
  for (int64_t i = 0; i < kLanes; i++) sum += lanes[i];
  return sum;
}

/// What a row was normalised by: [2, rows].
struct Moments {
  float *mean, *inverse;
  Moments(const at::Tensor& memory) : mean(memory.data_ptr<float>()), inverse(mean + memory.size(1)) {}
};

template <typename In, typename Out>
INLINE void normalise_of(const Rows& x, int64_t from, int64_t to, const float* weight, const float* bias,
                         float epsilon, const Moments& of, const Rows& y) {
  const int64_t features = x.width;
  for (int64_t row = from; row < to; row++) {
    const In* here = x.at<In>(row);
    Out* result = y.at<Out>(row);
    Lanes sum = {}, square = {}, value;
    for (int64_t c = 0; c < features; c += kLanes) {
      read(here + c, value);
      sum += value;
    }
    const float mean = total(sum) / static_cast<float>(features);
    for (int64_t c = 0; c < features; c += kLanes) {
      read(here + c, value);
      value -= mean;
      square += value * value;
    }
    const float inverse = 1 / std::sqrt(total(square) / static_cast<float>(features) + epsilon);
    for (int64_t c = 0; c < features; c += kLanes) {
      read(here + c, value);
      write((value - mean) * inverse * lanes(weight + c) + lanes(bias + c), result + c);
    }
    of.mean[row] = mean;
    of.inverse[row] = inverse;
  }
}

WIDEST void normalise(const Rows& x, int64_t from, int64_t to, const float* weight, const float* bias,
                      float epsilon, const Moments& of, const Rows& y) {
  if (x.is_half) {
    y.is_half ? normalise_of<uint16_t, uint16_t>(x, from, to, weight, bias, epsilon, of, y)
              : normalise_of<uint16_t, float>(x, from, to, weight, bias, epsilon, of, y);
  } else {
    y.is_half ? normalise_of<float, uint16_t>(x, from, to, weight, bias, epsilon, of, y)
              : normalise_of<float, float>(x, from, to, weight, bias, epsilon, of, y);
  }
}

template <typename In, typename Out>
INLINE void go_back_of(const Rows& x, const Rows& gradient, int64_t from, int64_t to, const float* weight,
                       const Moments& of, const Rows& result, float* of_weight, float* of_bias) {
  const int64_t features = x.width;
  for (int64_t row = from; row < to; row++) {
    const In* here = x.at<In>(row);
    const Out* given = gradient.at<Out>(row);
    In* there = result.at<In>(row);
    const float mean = of.mean[row], inverse = of.inverse[row], share = 1 / static_cast<float>(features);
    Lanes sum = {}, product = {}, value, slope;
    for (int64_t c = 0; c < features; c += kLanes) {
      read(here + c, value);
      read(given + c, slope);
      value = (value - mean) * inverse;
      lanes(of_bias + c) += slope;
      lanes(of_weight + c) += slope * value;
      slope *= lanes(weight + c);
      sum += slope;
      product += slope * value;
    }
    const float mean_slope = total(sum) * share, mean_product = total(product) * share;
    for (int64_t c = 0; c < features; c += kLanes) {
      read(here + c, value);
      read(given + c, slope);
      value = (value - mean) * inverse;
      write((slope * lanes(weight + c) - mean_slope - value * mean_product) * inverse, there + c);
    }
  }
}

/// The gradients of rows, and what the rows add to those of weight and bias.
WIDEST void go_back(const Rows& x, const Rows& gradient, int64_t from, int64_t to, const float* weight,
                    const Moments& of, const Rows& result, float* of_weight, float* of_bias) {
  if (x.is_half) {
    gradient.is_half
        ? go_back_of<uint16_t, uint16_t>(x, gradient, from, to, weight, of, result, of_weight, of_bias)
        : go_back_of<uint16_t, float>(x, gradient, from, to, weight, of, result, of_weight, of_bias);
  } else {
    gradient.is_half ? go_back_of<float, uint16_t>(x, gradient, from, to, weight, of, result, of_weight, of_bias)
                     : go_back_of<float, float>(x, gradient, from, to, weight, of, result, of_weight, of_bias);
  }
}

struct LayerNorm : torch::autograd::Function<LayerNorm> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, double epsilon, at::ScalarType type) {
    at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor result = at::empty(input.sizes(), input.options().dtype(type));
    const Rows x(input, weight.numel()), y(result, weight.numel());
    const at::Tensor moments = at::empty({2, x.count}, weight.options());
    const Moments of(moments);
    const float *factors = weight.data_ptr<float>(), *summands = bias.data_ptr<float>();
    Threads().share(x.count, [&](int64_t from, int64_t to) {
      normalise(x, from, to, factors, summands, static_cast<float>(epsilon), of, y);
    });
    context->save_for_backward({input, weight, moments});
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "carryover::layer_norm: expected first derivatives only");
    const auto saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1];
    const int64_t features = weight.numel(), parts = at::get_num_threads();
    const bool is_known = gradients[0].scalar_type() == at::kFloat || gradients[0].scalar_type() == at::kBFloat16;
    const at::Tensor gradient = (is_known ? gradients[0] : gradients[0].to(at::kFloat)).contiguous();
    const at::Tensor result = at::empty_like(input);
    const Rows x(input, features), given(gradient, features), there(result, features);
    const Moments of(saved[2]);
    const float* factors = weight.data_ptr<float>();
    const int64_t width = 2 * features;
    std::vector<double> totals(parts * width);
    Threads().share(parts, [&](int64_t begin, int64_t end) {
      std::vector<float> sums(width);
      for (int64_t part = begin; part < end; part++) {
        const int64_t last = (part + 1) * x.count / parts;
        for (int64_t from = part * x.count / parts; from < last; from += kBlock) {
          std::fill(sums.begin(), sums.end(), 0.0f);
          go_back(x, given, from, std::min(from + kBlock, last), factors, of, there, sums.data(),
                  sums.data() + features);
          for (int64_t c = 0; c < width; c++) totals[part * width + c] += sums[c];
        }
      }
    });
    const at::Tensor of_weight = at::empty_like(weight), of_bias = at::empty_like(weight);
    for (int64_t c = 0; c < features; c++) {
      double products = 0, slopes = 0;
      for (int64_t part = 0; part < parts; part++) {
        products += totals[part * width + c];
        slopes += totals[part * width + features + c];
      }
      of_weight.data_ptr<float>()[c] = static_cast<float>(products);
      of_bias.data_ptr<float>()[c] = static_cast<float>(slopes);
    }
    return {result, of_weight, of_bias, at::Tensor(), at::Tensor()};
  }
};

/// `dtype` is the result's.
at::Tensor layer_norm(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, double epsilon,
                      at::ScalarType dtype) {
  const auto is_known = [](at::ScalarType type) { return type == at::kFloat || type == at::kBFloat16; };
  const int64_t features = weight.numel();
  const bool is_taken = input.device().is_cpu() && is_known(input.scalar_type()) && is_known(dtype) &&
                        weight.scalar_type() == at::kFloat && bias.scalar_type() == at::kFloat && weight.is_contiguous() &&
                        bias.is_contiguous() && features % kLanes == 0 && input.numel() > 0;
  if (is_taken) return LayerNorm::apply(input.contiguous(), weight, bias, epsilon, dtype);
  return at::layer_norm(input.to(weight.scalar_type()), {features}, weight, bias, epsilon).to(dtype);
}

TORCH_LIBRARY_FRAGMENT(carryover, library) {
  library.def("layer_norm(Tensor input, Tensor weight, Tensor bias, float eps, ScalarType dtype) -> Tensor", layer_norm);
}

}  // namespace
}  // namespace carryover
