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

napi_value requires_grad(const Call& call) { return from_bool(call.env, call.tensor(0).requires_grad()); }
void set_requires_grad(const Call& call) { call.tensor(0).set_requires_grad(call.truth(1)); }
napi_value grad(const Call& call) { return from_double(call.env, store(call.tensor(0).grad(), call.env)); }

// setGrad(tensor, gradient or 0)
void set_grad(const Call& call) {
  Handle gradient = call.number(1);
  call.tensor(0).mutable_grad() = gradient == 0 ? at::Tensor() : lookup(gradient);
}

// clearGrads(tensors): as PyTorch's zero_grad(set_to_none=True)
void clear_grads(const Call& call) {
  for (const at::Tensor& tensor : call.tensors(0)) tensor.mutable_grad() = at::Tensor();
}

// grads(tensors): the gradients' handles, 0 where there is none
napi_value grads(const Call& call) {
  std::vector<at::Tensor> tensors = call.tensors(0);
  for (at::Tensor& tensor : tensors) tensor = tensor.grad();
  return from_tensors(call.env, tensors);
}

// backward(tensors, gradients, retainGraph); a gradient of 0 is an implicit 1 for a scalar.
void run_backward(const Call& call) {
  std::vector<at::Tensor> roots = call.tensors(0);
  std::vector<at::Tensor> gradients = call.tensors(1);
  torch::autograd::backward(roots, gradients, call.truth(2));
}

// gradients(outputs, inputs, outputGradients, retainGraph, createGraph): handles, 0 for an input that was not used
napi_value run_gradients(const Call& call) {
  return from_tensors(call.env, torch::autograd::grad(call.tensors(0), call.tensors(1),
                                                 call.tensors(2), call.truth(3),
                                                 call.truth(4), /*allow_unused=*/true));
}

napi_value set_grad_enabled(const Call& call) {
  bool previous = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(call.truth(0));
  return from_bool(call.env, previous);
}

// Inference mode is a C++ guard; JavaScript enters and leaves it in pairs.
std::vector<std::unique_ptr<c10::InferenceMode>>& inference_guards() {
  static auto* instance = new std::vector<std::unique_ptr<c10::InferenceMode>>();
  return *instance;
}

void enter_inference(const Call&) { inference_guards().push_back(std::make_unique<c10::InferenceMode>(true)); }

void leave_inference(const Call&) {
  if (inference_guards().empty()) throw std::runtime_error("expected inference mode to be on");
  inference_guards().pop_back();
}

#if CARRYOVER_TORCH_AT_LEAST(2, 4)
bool autocast_enabled(c10::DeviceType type) { return at::autocast::is_autocast_enabled(type); }
at::ScalarType autocast_dtype(c10::DeviceType type) { return at::autocast::get_autocast_dtype(type); }
void switch_autocast(c10::DeviceType type, bool enabled, at::ScalarType dtype) {
  at::autocast::set_autocast_enabled(type, enabled);
  at::autocast::set_autocast_dtype(type, dtype);
}
#else
bool autocast_enabled(c10::DeviceType type) {
  return type == c10::kCUDA ? at::autocast::is_enabled() : at::autocast::is_cpu_enabled();
}
at::ScalarType autocast_dtype(c10::DeviceType type) {
  return type == c10::kCUDA ? at::autocast::get_autocast_gpu_dtype() : at::autocast::get_autocast_cpu_dtype();
}
void switch_autocast(c10::DeviceType type, bool enabled, at::ScalarType dtype) {
  type == c10::kCUDA ? at::autocast::set_enabled(enabled) : at::autocast::set_cpu_enabled(enabled);
  type == c10::kCUDA ? at::autocast::set_autocast_gpu_dtype(dtype) : at::autocast::set_autocast_cpu_dtype(dtype);
}
#endif

// setAutocast(device, enabled, dtype): [enabled, dtype] as they were
napi_value set_autocast(const Call& call) {
  c10::DeviceType type = c10::Device(call.text(0)).type();
  if (type != c10::kCPU && type != c10::kCUDA) throw std::runtime_error("expected autocast for cpu or cuda");
  int64_t previous[] = {autocast_enabled(type), static_cast<int64_t>(autocast_dtype(type))};
  switch_autocast(type, call.truth(1), static_cast<at::ScalarType>(call.integer(2)));
  return from_ints(call.env, previous);
}

// enterAutocast / leaveAutocast count the nesting; the cache of cast weights is dropped with the outermost.
void enter_autocast(const Call&) { at::autocast::increment_nesting(); }
void leave_autocast(const Call&) { if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache(); }

}  // namespace

void register_autograd(napi_env env, napi_value exports) {
  export_functions(env, exports, {
      {"requiresGrad", guarded<requires_grad>}, {"setRequiresGrad", guarded<set_requires_grad>},
      {"grad", guarded<grad>}, {"setGrad", guarded<set_grad>}, {"grads", guarded<grads>},
      {"clearGrads", guarded<clear_grads>}, {"setGradEnabled", guarded<set_grad_enabled>},
      {"backward", guarded<run_backward>}, {"gradients", guarded<run_gradients>},
      {"enterInference", guarded<enter_inference>}, {"leaveInference", guarded<leave_inference>},
      {"setAutocast", guarded<set_autocast>}, {"enterAutocast", guarded<enter_autocast>},
      {"leaveAutocast", guarded<leave_autocast>}
  });
}

}  // namespace carryover
