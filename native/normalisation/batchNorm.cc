// Batch norm in training, with the sum of a shortcut and the ReLU that follow it, as one operator on the processor.
// Memory bounds these three: LibTorch passes over it up to seventeen times for them, forward and backward, where eight
// to twelve do.
//
// An addon of its own. Loading it registers the operator `carryover::batch_norm`, which equals `aten::batch_norm`, the
// sum and `aten::relu` up to rounding, and is called as all operators are, through the dispatcher. What is not
// channels last in float32 or bfloat16, of channels in sixteens, goes to those three. Sums are float32 over a few
// rows and float64 beyond, in an order that depends on nothing but the shape and the number of threads.
#include <ATen/ATen.h>
#include <node_api.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <limits>
#include <vector>

#include "rows.h"
#include "shared/lanes.h"
#include "shared/threads.h"

namespace carryover {
namespace {

/// Numbers that are summed up in float32.
constexpr int64_t kBlock = 1 << 14;
/// Rows for which a channel's factors are loaded once.
constexpr int64_t kRows = 4;

/// A channel's mean and inverse deviation in the batch, and the factor and summand that follow from them: [4, channels].
struct Channels {
  at::Tensor memory;
  float *mean, *inverse, *scale, *shift;
  explicit Channels(const at::Tensor& memory) : memory(memory) {
    mean = memory.data_ptr<float>();
    inverse = mean + memory.size(1);
    scale = inverse + memory.size(1);
    shift = scale + memory.size(1);
  }
};

template <typename Number>
INLINE void add_moments_of(const Rows& x, int64_t from, int64_t to, const float* center, float* sums, float* squares) {
  const int64_t channels = x.width;
  for (int64_t row = from; row < to; row += kRows) {
    const int64_t rows = std::min(kRows, to - row);
    const Number* here = x.at<Number>(row);
    for (int64_t c = 0; c < channels; c += kLanes) {
      const Lanes middle = lanes(center + c);
      Lanes sum = lanes(sums + c), square = lanes(squares + c), value;
      for (int64_t r = 0; r < rows; r++) {
        read(here + r * channels + c, value);
        value -= middle;
        sum += value;
        square += value * value;
      }
      lanes(sums + c) = sum;
      lanes(squares + c) = square;
    }
  }
}

/// Sums and squares of the deviations from `center`.
WIDEST void add_moments(const Rows& x, int64_t from, int64_t to, const float* center, float* sums, float* squares) {
  x.is_half ? add_moments_of<uint16_t>(x, from, to, center, sums, squares)
            : add_moments_of<float>(x, from, to, center, sums, squares);
}

template <typename Number, bool adds>
INLINE void normalise_of(const Rows& x, const Rows* shortcut, int64_t from, int64_t to, const float* scale,
                         const float* shift, float floor, const Rows& y) {
  const int64_t channels = x.width;
  const Lanes least = Lanes{} + floor;
  for (int64_t row = from; row < to; row += kRows) {
    const int64_t rows = std::min(kRows, to - row);
    const Number *here = x.at<Number>(row), *other = adds ? shortcut->at<Number>(row) : nullptr;
    Number* result = y.at<Number>(row);
    for (int64_t c = 0; c < channels; c += kLanes) {
      const Lanes factor = lanes(scale + c), summand = lanes(shift + c);
      for (int64_t r = 0; r < rows; r++) {
        const int64_t at = r * channels + c;
        Lanes value, more;
        read(here + at, value);
        value = value * factor + summand;
        if (adds) {
          read(other + at, more);
          value += more;
        }
        write(value < least ? least : value, result + at);  // NaN stays NaN
      }
    }
  }
}

/// The greater of x · scale + shift (+ shortcut) and the floor.
WIDEST void normalise(const Rows& x, const Rows* shortcut, int64_t from, int64_t to, const float* scale,
                      const float* shift, float floor, const Rows& y) {
  if (shortcut) {
    x.is_half ? normalise_of<uint16_t, true>(x, shortcut, from, to, scale, shift, floor, y)
              : normalise_of<float, true>(x, shortcut, from, to, scale, shift, floor, y);
  } else {
    x.is_half ? normalise_of<uint16_t, false>(x, shortcut, from, to, scale, shift, floor, y)
              : normalise_of<float, false>(x, shortcut, from, to, scale, shift, floor, y);
  }
}

template <typename Number, bool cuts>
INLINE void add_gradients_of(const Rows& x, const Rows& gradient, const Rows* y, const Rows* cut, int64_t from, int64_t to,
                             const Channels& of, float floor, float* sums, float* products) {
  const int64_t channels = x.width;
  const Lanes least = Lanes{} + floor, zero = {};
  for (int64_t row = from; row < to; row += kRows) {
    const int64_t rows = std::min(kRows, to - row);
    const Number *here = x.at<Number>(row), *given = gradient.at<Number>(row);
    const Number* result = cuts ? y->at<Number>(row) : nullptr;
    Number* kept = cuts ? cut->at<Number>(row) : nullptr;
    for (int64_t c = 0; c < channels; c += kLanes) {
      const Lanes mean = lanes(of.mean + c), factor = lanes(of.scale + c), summand = lanes(of.shift + c);
      Lanes sum = lanes(sums + c), product = lanes(products + c), value, slope, output;
      for (int64_t r = 0; r < rows; r++) {
        const int64_t at = r * channels + c;
        read(here + at, value);
        read(given + at, slope);
        if (cuts) read(result + at, output);
        else output = value * factor + summand;
        slope = output <= least ? zero : slope;
        if (cuts) write(slope, kept + at);
        sum += slope;
        product += slope * (value - mean);
      }
      lanes(sums + c) = sum;
      lanes(products + c) = product;
    }
  }
}

/// The sums of batch norm's derivative: of the gradient behind the ReLU, and of its products with x - mean. With the
/// result `y` given, that gradient is written to `cut`; else the ReLU is derived from x.
WIDEST void add_gradients(const Rows& x, const Rows& gradient, const Rows* y, const Rows* cut, int64_t from, int64_t to,
                          const Channels& of, float floor, float* sums, float* products) {
  if (y) {
    x.is_half ? add_gradients_of<uint16_t, true>(x, gradient, y, cut, from, to, of, floor, sums, products)
              : add_gradients_of<float, true>(x, gradient, y, cut, from, to, of, floor, sums, products);
  } else {
    x.is_half ? add_gradients_of<uint16_t, false>(x, gradient, y, cut, from, to, of, floor, sums, products)
              : add_gradients_of<float, false>(x, gradient, y, cut, from, to, of, floor, sums, products);
  }
}

template <typename Number>
INLINE void input_gradient_of(const Rows& x, const Rows& gradient, int64_t from, int64_t to, const Channels& of,
                              float floor, const float* slopes, const float* offsets, const Rows& result) {
  const int64_t channels = x.width;
  const Lanes least = Lanes{} + floor, zero = {};
  for (int64_t row = from; row < to; row += kRows) {
    const int64_t rows = std::min(kRows, to - row);
    const Number *here = x.at<Number>(row), *given = gradient.at<Number>(row);
    Number* there = result.at<Number>(row);
    for (int64_t c = 0; c < channels; c += kLanes) {
      const Lanes mean = lanes(of.mean + c), factor = lanes(of.scale + c), summand = lanes(of.shift + c);
      const Lanes slope = lanes(slopes + c), offset = lanes(offsets + c);
      for (int64_t r = 0; r < rows; r++) {
        const int64_t at = r * channels + c;
        Lanes value, g;
        read(here + at, value);
        read(given + at, g);
        g = value * factor + summand <= least ? zero : g;
        write(g * factor + (value - mean) * slope + offset, there + at);
      }
    }
  }
}

WIDEST void input_gradient(const Rows& x, const Rows& gradient, int64_t from, int64_t to, const Channels& of, float floor,
                           const float* slopes, const float* offsets, const Rows& result) {
  x.is_half ? input_gradient_of<uint16_t>(x, gradient, from, to, of, floor, slopes, offsets, result)
            : input_gradient_of<float>(x, gradient, from, to, of, floor, slopes, offsets, result);
}

/// The totals of two sums a channel, which body(from, to, sums, more) adds up for a block of rows.
template <typename Body>
std::vector<double> add_up(Threads& threads, const Rows& rows, const Body& body) {
  const int64_t width = 2 * rows.width, parts = at::get_num_threads(), block = std::max<int64_t>(1, kBlock / rows.width);
  std::vector<double> totals(parts * width);
  threads.share(parts, [&](int64_t begin, int64_t end) {
    std::vector<float> sums(width);
    for (int64_t part = begin; part < end; part++) {
      double* mine = &totals[part * width];
      const int64_t last = (part + 1) * rows.count / parts;
      for (int64_t from = part * rows.count / parts; from < last; from += block) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        body(from, std::min(from + block, last), sums.data(), sums.data() + rows.width);
        for (int64_t c = 0; c < width; c++) mine[c] += sums[c];
      }
    }
  });
  for (int64_t i = width; i < parts * width; i++) totals[i % width] += totals[i];
  return totals;
}

constexpr float kNoFloor = -std::numeric_limits<float>::infinity();

at::Tensor floats(at::IntArrayRef shape) { return at::empty(shape, at::TensorOptions().dtype(at::kFloat)); }

struct BatchNorm : torch::autograd::Function<BatchNorm> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const c10::optional<at::Tensor>& shortcut, const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& running_mean, const at::Tensor& running_variance, double momentum,
                            double epsilon, bool relu) {
    at::AutoDispatchBelowADInplaceOrView below;
    const Rows x(input, input.size(1));
    const auto rows = static_cast<double>(x.count);
    Threads threads;
    // Deviations from the first row in place of values: their squares lose no digits to a large mean.
    std::vector<float> center(x.width);
    for (int64_t c = 0; c < x.width; c += kLanes) {
      x.is_half ? read(x.at<uint16_t>(0) + c, lanes(&center[c])) : read(x.at<float>(0) + c, lanes(&center[c]));
    }
    const std::vector<double> sums = add_up(threads, x, [&](int64_t from, int64_t to, float* some, float* squares) {
      add_moments(x, from, to, center.data(), some, squares);
    });
    const Channels of(floats({4, x.width}));
    float *old_mean = running_mean.data_ptr<float>(), *old_variance = running_variance.data_ptr<float>();
    for (int64_t c = 0; c < x.width; c++) {
      const double deviation = sums[c] / rows;
      const double variance = std::max(0.0, sums[x.width + c] / rows - deviation * deviation);
      of.mean[c] = static_cast<float>(center[c] + deviation);
      of.inverse[c] = static_cast<float>(1 / std::sqrt(variance + epsilon));
      of.scale[c] = weight.data_ptr<float>()[c] * of.inverse[c];
      of.shift[c] = bias.data_ptr<float>()[c] - of.mean[c] * of.scale[c];
      old_mean[c] = static_cast<float>((1 - momentum) * old_mean[c] + momentum * of.mean[c]);
      old_variance[c] = static_cast<float>((1 - momentum) * old_variance[c] + momentum * variance * rows / (rows - 1));
    }
    for (const at::Tensor* each : {&running_mean, &running_variance}) {
      if (!each->is_inference()) each->unsafeGetTensorImpl()->bump_version();
    }
    const float floor = relu ? 0 : kNoFloor;
    const at::Tensor result = at::empty_like(input);
    const Rows y(result, x.width), other(shortcut ? *shortcut : input, x.width);
    threads.share(x.count, [&](int64_t from, int64_t to) {
      normalise(x, shortcut ? &other : nullptr, from, to, of.scale, of.shift, floor, y);
    });
    // The ReLU of a sum is derived from the result.
    context->save_for_backward({input, of.memory, shortcut && relu ? result : at::Tensor()});
    context->saved_data["relu"] = relu;
    context->saved_data["shortcut"] = shortcut.has_value();
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "carryover::batch_norm: expected first derivatives only");
    const auto saved = context->get_saved_variables();
    const Rows x(saved[0], saved[0].size(1));
    const auto rows = static_cast<double>(x.count);
    const Channels of(saved[1]);
    const bool has_shortcut = context->saved_data["shortcut"].toBool();
    float floor = context->saved_data["relu"].toBool() ? 0 : kNoFloor;
    at::Tensor gradient = gradients[0].to(saved[0].scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    Threads threads;
    std::vector<double> sums;
    if (saved[2].defined()) {
      const at::Tensor behind = at::empty_like(saved[0]);
      const Rows given(gradient, x.width), y(saved[2], x.width), cut(behind, x.width);
      sums = add_up(threads, x, [&](int64_t from, int64_t to, float* some, float* products) {
        add_gradients(x, given, &y, &cut, from, to, of, floor, some, products);
      });
      gradient = behind;
      floor = kNoFloor;
    } else {
      const Rows given(gradient, x.width);
      sums = add_up(threads, x, [&](int64_t from, int64_t to, float* some, float* products) {
        add_gradients(x, given, nullptr, nullptr, from, to, of, floor, some, products);
      });
    }
    std::vector<float> slopes(x.width), offsets(x.width);
    const at::Tensor of_weight = floats({x.width}), of_bias = floats({x.width});
    for (int64_t c = 0; c < x.width; c++) {
      const double product = sums[x.width + c] * of.inverse[c];
      of_weight.data_ptr<float>()[c] = static_cast<float>(product);
      of_bias.data_ptr<float>()[c] = static_cast<float>(sums[c]);
      slopes[c] = static_cast<float>(-of.scale[c] * of.inverse[c] * product / rows);
      offsets[c] = static_cast<float>(-of.scale[c] * sums[c] / rows);
    }
    const at::Tensor of_input = at::empty_like(saved[0]);
    const Rows given(gradient, x.width), result(of_input, x.width);
    threads.share(x.count, [&](int64_t from, int64_t to) {
      input_gradient(x, given, from, to, of, floor, slopes.data(), offsets.data(), result);
    });
    const at::Tensor none;
    return {of_input, has_shortcut ? gradient : none, of_weight, of_bias, none, none, none, none, none};
  }
};

bool is_taken(const at::Tensor& input, const c10::optional<at::Tensor>& shortcut, const at::Tensor& weight) {
  const auto is_plain = [&](const at::Tensor& each) {
    return each.device().is_cpu() && each.dim() == 4 && each.numel() > 0 && each.sizes() == input.sizes() &&
           each.scalar_type() == input.scalar_type() && each.is_contiguous(at::MemoryFormat::ChannelsLast);
  };
  const at::ScalarType type = input.scalar_type();
  return (type == at::kFloat || type == at::kBFloat16) && weight.scalar_type() == at::kFloat && is_plain(input) &&
         (!shortcut || is_plain(*shortcut)) && input.size(1) % kLanes == 0 && input.numel() > input.size(1);
}

at::Tensor plain(const at::Tensor& input, const c10::optional<at::Tensor>& shortcut, const at::Tensor& weight,
                 const at::Tensor& bias, const at::Tensor& running_mean, const at::Tensor& running_variance,
                 double momentum, double epsilon, bool relu) {
  at::Tensor result = at::batch_norm(input, weight, bias, running_mean, running_variance, true, momentum, epsilon, true);
  if (shortcut) result = result.add_(*shortcut);
  return relu ? result.relu_() : result;
}

at::Tensor batch_norm(const at::Tensor& input, const c10::optional<at::Tensor>& shortcut, const at::Tensor& weight,
                      const at::Tensor& bias, const at::Tensor& running_mean, const at::Tensor& running_variance,
                      double momentum, double epsilon, bool relu) {
  return is_taken(input, shortcut, weight)
             ? BatchNorm::apply(input, shortcut, weight, bias, running_mean, running_variance, momentum, epsilon, relu)
             : plain(input, shortcut, weight, bias, running_mean, running_variance, momentum, epsilon, relu);
}

TORCH_LIBRARY_FRAGMENT(carryover, library) {
  library.def(
      "batch_norm(Tensor input, Tensor? shortcut, Tensor weight, Tensor bias, Tensor running_mean, Tensor running_var, "
      "float momentum, float eps, bool relu) -> Tensor",
      batch_norm);
}

}  // namespace
}  // namespace carryover

NAPI_MODULE_INIT() {
  (void)env;
  return exports;
}
