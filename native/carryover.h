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
/// Tells V8 how many native bytes are in use.
void tell_memory(napi_env env);
void register_tensors(napi_env env, napi_value exports);

// --- other groups of functions, one file each ----------------------------------------------------

void register_operators(napi_env env, napi_value exports);
void register_autograd(napi_env env, napi_value exports);
void register_machine(napi_env env, napi_value exports);

/// The random generator of an id given by `generatorCreate` or `generatorDefault` (machine.cc).
at::Generator lookup_generator(int64_t id);

// --- conversions.cc: JavaScript values ------------------------------------------------------------

inline void check(napi_status status, const char* what) {
  if (status != napi_ok) throw std::runtime_error(std::string("expected ") + what);
}

double to_double(napi_env env, napi_value value, const char* what = "a number");
int64_t to_int(napi_env env, napi_value value, const char* what = "an integer");
bool to_bool(napi_env env, napi_value value, const char* what = "a boolean");
std::string to_string(napi_env env, napi_value value, const char* what = "a string");
std::vector<napi_value> to_values(napi_env env, napi_value value, const char* what = "an array");
std::vector<int64_t> to_ints(napi_env env, napi_value value);
/// The handles of a Float64Array, looked up; 0 gives an undefined tensor.
std::vector<at::Tensor> to_tensors(napi_env env, napi_value value);
/// An array of the handles of `tensors`, 0 for an undefined one.
napi_value from_tensors(napi_env env, const std::vector<at::Tensor>& tensors);

napi_value from_double(napi_env env, double value);
napi_value from_bool(napi_env env, bool value);
napi_value from_string(napi_env env, const std::string& value);
napi_value from_values(napi_env env, c10::ArrayRef<napi_value> values);
napi_value from_ints(napi_env env, c10::ArrayRef<int64_t> values);
napi_value undefined(napi_env env);
void set_property(napi_env env, napi_value object, const char* name, napi_value value);

/// Sets a pending JavaScript exception from the C++ exception in flight. Call inside `catch (...)`.
void rethrow_to_javascript(napi_env env);

/// One call from JavaScript; what is missing of its arguments is undefined.
struct Call {
  static constexpr size_t kMost = 40;
  Call(napi_env env, napi_callback_info info) : env(env) {
    check(napi_get_cb_info(env, info, &count, values, nullptr, nullptr), "call information");
  }
  const at::Tensor& tensor(size_t index) const { return lookup(to_double(env, values[index], "a tensor")); }
  std::vector<at::Tensor> tensors(size_t index) const { return to_tensors(env, values[index]); }
  double number(size_t index) const { return to_double(env, values[index]); }
  int64_t integer(size_t index) const { return to_int(env, values[index]); }
  bool truth(size_t index) const { return to_bool(env, values[index]); }
  std::string text(size_t index) const { return to_string(env, values[index]); }

  napi_env env;
  size_t count = kMost;
  napi_value values[kMost];
};

/// Turns a function of a Call, with a result or void, into an N-API callback that lets no C++ exception reach V8.
template <auto body>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    Call call(env, info);
    if constexpr (std::is_void_v<decltype(body(call))>) body(call);
    else return body(call);
  } catch (...) {
    rethrow_to_javascript(env);
  }
  return nullptr;
}

struct Export {
  const char* name;
  napi_callback callback;
};

/// Adds functions to the addon's exports.
void export_functions(napi_env env, napi_value exports, std::initializer_list<Export> functions);

}  // namespace carryover
