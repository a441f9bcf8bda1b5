// The contract between the files of the addon: handles, conversions, errors.
//
// The addon knows tensors, operators, autograd, memory and threads, and nothing of models. JavaScript
// validates and owns lifetimes; C++ sees numbers. A tensor is named by a handle, a double that holds a
// slot (low 32 bits) and the slot's generation, so that a handle used after release is an error and
// never another tensor. 0 is "no tensor". One JavaScript thread per process may use the addon.
//
// What JavaScript sees of it is typed in src/tensor/native.ts, the only file that loads it.
#pragma once

#include <ATen/core/Tensor.h>
#include <node_api.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace carryover {

using Handle = double;

// --- tensors.cc: the table of live tensors -------------------------------------------------------

/// Stores a tensor and returns its handle; an undefined tensor gives 0.
Handle store(at::Tensor tensor, napi_env env);
/// The tensor of a handle. Throws std::runtime_error after release.
const at::Tensor& lookup(Handle handle);
/// Number of handles in use, and the bytes of the distinct storages behind them.
std::pair<int64_t, int64_t> live_tensors();
napi_value register_tensors(napi_env env, napi_value exports);

// --- other groups of functions, one file each ----------------------------------------------------

napi_value register_operators(napi_env env, napi_value exports);
napi_value register_autograd(napi_env env, napi_value exports);
napi_value register_machine(napi_env env, napi_value exports);

/// The random generator of an id given by `generatorCreate` or `generatorDefault` (machine.cc).
at::Generator lookup_generator(int64_t id);

// --- conversions.cc: JavaScript values ------------------------------------------------------------

/// Thrown when a JavaScript exception is pending already.
struct PendingException {};

inline void check(napi_status status, const char* what) {
  if (status != napi_ok) throw std::runtime_error(std::string("expected ") + what);
}

double to_double(napi_env env, napi_value value, const char* what = "a number");
int64_t to_int(napi_env env, napi_value value, const char* what = "an integer");
bool to_bool(napi_env env, napi_value value, const char* what = "a boolean");
std::string to_string(napi_env env, napi_value value, const char* what = "a string");
std::vector<int64_t> to_ints(napi_env env, napi_value value, const char* what = "an array of integers");
std::vector<double> to_doubles(napi_env env, napi_value value, const char* what = "an array of numbers");
/// The handles of a Float64Array, looked up; 0 gives an undefined tensor.
std::vector<at::Tensor> to_tensors(napi_env env, napi_value value);
bool is_nullish(napi_env env, napi_value value);

napi_value from_double(napi_env env, double value);
napi_value from_bool(napi_env env, bool value);
napi_value from_string(napi_env env, const std::string& value);
napi_value from_ints(napi_env env, c10::ArrayRef<int64_t> values);
napi_value undefined(napi_env env);
void set_property(napi_env env, napi_value object, const char* name, napi_value value);
/// A Uint8Array that owns a copy of `size` bytes.
napi_value copy_bytes(napi_env env, const void* data, size_t size);

/// Sets a pending JavaScript exception from the C++ exception in flight. Call inside `catch (...)`.
void rethrow_to_javascript(napi_env env);

/// The arguments of one call from JavaScript.
class Arguments {
 public:
  static constexpr size_t kMost = 40;
  Arguments(napi_env env, napi_callback_info info) : env(env) {
    check(napi_get_cb_info(env, info, &count, values, nullptr, nullptr), "call information");
  }
  napi_value operator[](size_t index) const { return values[index]; }
  napi_env env;
  size_t count = kMost;
  napi_value values[kMost];  // N-API fills what is missing with undefined
};

/// The shape of every exported function.
using Body = napi_value (*)(napi_env env, const Arguments& arguments);

/// Turns a Body into an N-API callback that never lets a C++ exception reach V8.
template <Body body>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return body(env, Arguments(env, info));
  } catch (...) {
    rethrow_to_javascript(env);
    return nullptr;
  }
}

template <Body body>
void export_function(napi_env env, napi_value exports, const char* name) {
  napi_value function;
  check(napi_create_function(env, name, NAPI_AUTO_LENGTH, guarded<body>, nullptr, &function), name);
  set_property(env, exports, name, function);
}

}  // namespace carryover
