// Gradients, the modes around them, and autocast.
#include "carryover.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <memory>

#define CARRYOVER_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace carryover {
namespace {

const at::Tensor& tensor_at(napi_env env, const Arguments& arguments, size_t index) {
  return lookup(to_double(env, arguments[index], "a tensor"));
}

napi_value requires_grad(napi_env env, const Arguments& arguments) {
  return from_bool(env, tensor_at(env, arguments, 0).requires_grad());
}

napi_value set_requires_grad(napi_env env, const Arguments& arguments) {
  tensor_at(env, arguments, 0).set_requires_grad(to_bool(env, arguments[1]));
  return nullptr;
}

napi_value grad(napi_env env, const Arguments& arguments) {
  return from_double(env, store(tensor_at(env, arguments, 0).grad(), env));
}

// setGrad(tensor, gradient or 0)
napi_value set_grad(napi_env env, const Arguments& arguments) {
  Handle gradient = to_double(env, arguments[1], "a tensor");
  tensor_at(env, arguments, 0).mutable_grad() = gradient == 0 ? at::Tensor() : lookup(gradient);
  return nullptr;
}

// clearGrads(tensors): as PyTorch's zero_grad(set_to_none=True)
napi_value clear_grads(napi_env env, const Arguments& arguments) {
  for (const at::Tensor& tensor : to_tensors(env, arguments[0])) tensor.mutable_grad() = at::Tensor();
  return nullptr;
}

// grads(tensors): the gradients' handles, 0 where there is none
napi_value grads(napi_env env, const Arguments& arguments) {
  std::vector<at::Tensor> tensors = to_tensors(env, arguments[0]);
  napi_value result;
  check(napi_create_array_with_length(env, tensors.size(), &result), "room for an array");
  for (size_t index = 0; index < tensors.size(); index++) {
    check(napi_set_element(env, result, index, from_double(env, store(tensors[index].grad(), env))), "an array");
  }
  return result;
}

// setData(tensor, other): the tensor keeps its identity and takes the other's values, as PyTorch's `.data =`.
napi_value set_data(napi_env env, const Arguments& arguments) {
  tensor_at(env, arguments, 0).set_data(tensor_at(env, arguments, 1));
  return nullptr;
}

// backward(tensors, gradients, retainGraph); a gradient of 0 is an implicit 1 for a scalar.
napi_value run_backward(napi_env env, const Arguments& arguments) {
  std::vector<at::Tensor> roots = to_tensors(env, arguments[0]);
  std::vector<at::Tensor> gradients = to_tensors(env, arguments[1]);
  torch::autograd::backward(roots, gradients, to_bool(env, arguments[2]));
  return nullptr;
}

// gradients(outputs, inputs, outputGradients, retainGraph, createGraph): handles, 0 for an input that was not used
napi_value run_gradients(napi_env env, const Arguments& arguments) {
  std::vector<at::Tensor> results =
      torch::autograd::grad(to_tensors(env, arguments[0]), to_tensors(env, arguments[1]), to_tensors(env, arguments[2]),
                            to_bool(env, arguments[3]), to_bool(env, arguments[4]), /*allow_unused=*/true);
  napi_value list;
  check(napi_create_array_with_length(env, results.size(), &list), "room for an array");
  for (size_t index = 0; index < results.size(); index++) {
    check(napi_set_element(env, list, index, from_double(env, store(results[index], env))), "an array");
  }
  return list;
}

napi_value set_grad_enabled(napi_env env, const Arguments& arguments) {
  bool previous = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(to_bool(env, arguments[0]));
  return from_bool(env, previous);
}

// Inference mode is a C++ guard; JavaScript enters and leaves it in pairs.
std::vector<std::unique_ptr<c10::InferenceMode>>& inference_guards() {
  static auto* instance = new std::vector<std::unique_ptr<c10::InferenceMode>>();
  return *instance;
}

napi_value enter_inference(napi_env, const Arguments&) {
  inference_guards().push_back(std::make_unique<c10::InferenceMode>(true));
  return nullptr;
}

napi_value leave_inference(napi_env, const Arguments&) {
  if (inference_guards().empty()) throw std::runtime_error("expected inference mode to be on");
  inference_guards().pop_back();
  return nullptr;
}

bool autocast_enabled(c10::DeviceType type) {
#if CARRYOVER_TORCH_AT_LEAST(2, 4)
  return at::autocast::is_autocast_enabled(type);
#else
  return type == c10::kCUDA ? at::autocast::is_enabled() : at::autocast::is_cpu_enabled();
#endif
}

at::ScalarType autocast_dtype(c10::DeviceType type) {
#if CARRYOVER_TORCH_AT_LEAST(2, 4)
  return at::autocast::get_autocast_dtype(type);
#else
  return type == c10::kCUDA ? at::autocast::get_autocast_gpu_dtype() : at::autocast::get_autocast_cpu_dtype();
#endif
}

void switch_autocast(c10::DeviceType type, bool enabled, at::ScalarType dtype) {
#if CARRYOVER_TORCH_AT_LEAST(2, 4)
  at::autocast::set_autocast_enabled(type, enabled);
  at::autocast::set_autocast_dtype(type, dtype);
#else
  if (type == c10::kCUDA) {
    at::autocast::set_enabled(enabled);
    at::autocast::set_autocast_gpu_dtype(dtype);
  } else {
    at::autocast::set_cpu_enabled(enabled);
    at::autocast::set_autocast_cpu_dtype(dtype);
  }
#endif
}

// setAutocast(device, enabled, dtype): [enabled, dtype] as they were
napi_value set_autocast(napi_env env, const Arguments& arguments) {
  c10::DeviceType type = c10::Device(to_string(env, arguments[0], "a device")).type();
  if (type != c10::kCPU && type != c10::kCUDA) throw std::runtime_error("expected autocast for cpu or cuda");
  int64_t previous[] = {autocast_enabled(type), static_cast<int64_t>(autocast_dtype(type))};
  switch_autocast(type, to_bool(env, arguments[1]), static_cast<at::ScalarType>(to_int(env, arguments[2])));
  return from_ints(env, previous);
}

// enterAutocast / leaveAutocast count the nesting; the cache of cast weights is dropped with the outermost.
napi_value enter_autocast(napi_env, const Arguments&) {
  at::autocast::increment_nesting();
  return nullptr;
}

napi_value leave_autocast(napi_env, const Arguments&) {
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  return nullptr;
}

}  // namespace

napi_value register_autograd(napi_env env, napi_value exports) {
  export_function<requires_grad>(env, exports, "requiresGrad");
  export_function<set_requires_grad>(env, exports, "setRequiresGrad");
  export_function<grad>(env, exports, "grad");
  export_function<set_grad>(env, exports, "setGrad");
  export_function<grads>(env, exports, "grads");
  export_function<clear_grads>(env, exports, "clearGrads");
  export_function<set_data>(env, exports, "setData");
  export_function<run_backward>(env, exports, "backward");
  export_function<run_gradients>(env, exports, "gradients");
  export_function<set_grad_enabled>(env, exports, "setGradEnabled");
  export_function<enter_inference>(env, exports, "enterInference");
  export_function<leave_inference>(env, exports, "leaveInference");
  export_function<set_autocast>(env, exports, "setAutocast");
  export_function<enter_autocast>(env, exports, "enterAutocast");
  export_function<leave_autocast>(env, exports, "leaveAutocast");
  return exports;
}

}  // namespace carryover
