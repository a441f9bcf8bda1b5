// Convolutions of stride 1 on the processor that are faster than LibTorch's: 3 × 3 by Winograd's method, and the
// way back of 1 × 1 as plain products of matrices.
//
// An addon of its own. Loading it registers one operator, `carryover::convolution`, which equals `aten::conv2d` up to
// rounding and is called as all operators are, through the dispatcher. What it has no faster way for is
// `aten::conv2d`.
#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <node_api.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>
#include <torch/version.h>

#include <array>

#include "pointwise.h"
#include "shared/products.h"
#include "winograd.h"

namespace carryover {
namespace {

/// oneDNN's kernel for weights of 1 × 1 in bfloat16 is the slower one up to so many pixels.
constexpr int64_t kFewPixels = 4096;

at::Tensor direct(const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
  return at::conv2d(input, weight, {}, 1, padding);
}

at::Tensor channels_last(const at::Tensor& tensor) { return tensor.contiguous(at::MemoryFormat::ChannelsLast); }

bool is_on_processor(const at::Tensor& tensor, at::ScalarType type) {
  return tensor.device().is_cpu() && tensor.layout() == at::kStrided && tensor.scalar_type() == type && tensor.dim() == 4;
}

bool fits(const at::Tensor& input, const at::Tensor& weight, at::ScalarType type, int64_t size) {
  return is_on_processor(input, type) && is_on_processor(weight, type) && input.numel() > 0 && weight.numel() > 0 &&
         input.size(1) == weight.size(1) && weight.size(2) == size && weight.size(3) == size;
}

/// Enough tiles and channels for the transforms to be the smaller part.
bool is_winograd(const at::Tensor& input, const at::Tensor& weight, int64_t padding, at::ScalarType type) {
  return products() && fits(input, weight, type, 3) && (padding == 0 || padding == 1) &&
         weight.size(0) % kLanes == 0 && weight.size(1) % kLanes == 0 && input.size(2) >= 7 &&
         input.size(3) >= 7;
}

bool is_pointwise(const at::Tensor& input, const at::Tensor& weight, int64_t padding, at::ScalarType type) {
  return dnnl_sgemm && products() && padding == 0 && fits(input, weight, type, 1);
}

at::Tensor forward(const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
  if (!is_winograd(input, weight, padding, at::kFloat)) return direct(input, weight, padding);
  const int64_t lost = 2 - 2 * padding;
  at::Tensor result = at::empty({input.size(0), weight.size(0), input.size(2) - lost, input.size(3) - lost},
                                input.options().memory_format(at::MemoryFormat::ChannelsLast));
  winograd::convolve(channels_last(input), weight.contiguous(), padding, false, result);
  return result;
}

/// The way back of `aten::conv2d`.
std::array<at::Tensor, 2> direct_gradients(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight,
                                           int64_t padding, bool of_input, bool of_weight) {
  if (!of_input && !of_weight) return {};
  auto result = at::convolution_backward(gradient, input, weight, c10::nullopt, {1, 1}, {padding, padding}, {1, 1}, false,
                                         {0, 0}, 1, {of_input, of_weight, false});
  return {std::get<0>(result), std::get<1>(result)};
}

at::Tensor input_gradient(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
  const bool is_3x3 = is_winograd(input, weight, padding, at::kFloat);
  if (!is_3x3 && !is_pointwise(input, weight, padding, at::kFloat)) {
    return direct_gradients(gradient, input, weight, padding, true, false)[0];
  }
  const at::Tensor result = at::empty(input.sizes(), input.options().memory_format(at::MemoryFormat::ChannelsLast));
  is_3x3 ? winograd::convolve(gradient, weight.contiguous(), 2 - padding, true, result)
         : pointwise::input_gradient(gradient, weight.contiguous(), result);
  return result;
}

at::Tensor weight_gradient(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  const auto contiguous = at::TensorOptions().dtype(at::kFloat).memory_format(at::MemoryFormat::Contiguous);
  if (is_winograd(input, weight, padding, input.scalar_type())) {
    const at::Tensor result = at::empty(weight.sizes(), contiguous);
    winograd::weight_gradient(channels_last(input), gradient, padding, result);
    return result.to(weight.scalar_type());
  }
  if (is_pointwise(input, weight, padding, at::kFloat)) {
    const at::Tensor result = at::empty(weight.sizes(), contiguous);
    pointwise::weight_gradient(channels_last(input), gradient, result);
    return result;
  }
  if (is_pointwise(input, weight, padding, at::kBFloat16) && gradient.numel() / outputs <= kFewPixels) {
    const auto rows = [](const at::Tensor& images) { return images.permute({0, 2, 3, 1}).flatten(0, 2); };
    return at::mm(rows(gradient).t(), rows(channels_last(input))).view({outputs, inputs, 1, 1});
  }
  return direct_gradients(gradient, input, weight, padding, false, true)[1];
}

struct Convolution : torch::autograd::Function<Convolution> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            int64_t padding) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({input, weight});
    context->saved_data["padding"] = padding;
    context->saved_data["input"] = input.requires_grad();
    context->saved_data["weight"] = weight.requires_grad();
    return carryover::forward(input, weight, padding);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "carryover::convolution: expected first derivatives only");
    const auto saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1];
    const int64_t padding = context->saved_data["padding"].toInt();
    const at::Tensor gradient = channels_last(gradients[0]);
    at::Tensor of_input, of_weight;
    if (context->saved_data["input"].toBool()) of_input = input_gradient(gradient, input, weight, padding);
    if (context->saved_data["weight"].toBool()) of_weight = weight_gradient(gradient, input, weight, padding);
    return {of_input, of_weight, at::Tensor()};
  }
};

at::Tensor with_gradients(const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
  const at::ScalarType type = input.scalar_type();
  const bool is_faster = (type == at::kFloat || type == at::kBFloat16) &&
                         (is_winograd(input, weight, padding, type) || is_pointwise(input, weight, padding, type));
  return is_faster ? Convolution::apply(input, weight, padding) : direct(input, weight, padding);
}

/// As conv2d: in the type of 16 bits, the weights' cast kept until the end of autocast.
at::Tensor with_autocast(const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  const at::ScalarType type = at::autocast::get_autocast_dtype(at::kCPU);
#else
  const at::ScalarType type = at::autocast::get_autocast_cpu_dtype();
#endif
  c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  static const auto operator_ = c10::Dispatcher::singleton()
                                    .findSchemaOrThrow("carryover::convolution", "")
                                    .typed<at::Tensor(const at::Tensor&, const at::Tensor&, int64_t)>();
  const auto cast = [&](const at::Tensor& tensor) { return at::autocast::cached_cast(type, tensor, at::kCPU); };
  return operator_.call(cast(input), cast(weight), padding);
}

TORCH_LIBRARY_FRAGMENT(carryover, library) {
  library.def("convolution(Tensor input, Tensor weight, int padding) -> Tensor");
  library.impl("convolution", c10::DispatchKey::CPU, TORCH_FN(forward));
  library.impl("convolution", c10::DispatchKey::AutogradCPU, TORCH_FN(with_gradients));
  library.impl("convolution", c10::DispatchKey::AutocastCPU, TORCH_FN(with_autocast));
  // On other devices it is LibTorch's.
  library.impl("convolution", c10::DispatchKey::CompositeImplicitAutograd, TORCH_FN(direct));
}

}  // namespace
}  // namespace carryover

NAPI_MODULE_INIT() {
  const char* found = carryover::products();
  napi_value value;
  napi_create_string_utf8(env, found ? found : "", NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, exports, "products", value);
  return exports;
}
