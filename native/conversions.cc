// JavaScript values to C++ and back, and C++ exceptions to JavaScript errors.
#include "carryover.h"

#include <c10/util/Exception.h>

#include <cmath>

namespace carryover {

/// The value that an N-API function makes.
template <auto create, typename... Values>
static napi_value make(napi_env env, Values... values) {
  napi_value result;
  check(create(env, values..., &result), "room for a value");
  return result;
}

napi_value from_double(napi_env env, double value) { return make<napi_create_double>(env, value); }
napi_value from_bool(napi_env env, bool value) { return make<napi_get_boolean>(env, value); }
napi_value from_string(napi_env env, const std::string& value) {
  return make<napi_create_string_utf8>(env, value.data(), value.size());
}
napi_value undefined(napi_env env) { return make<napi_get_undefined>(env); }

/// The plain value that an N-API function reads.
template <auto read, typename Value>
static Value get(napi_env env, napi_value value, const char* what) {
  Value result;
  check(read(env, value, &result), what);
  return result;
}

double to_double(napi_env env, napi_value value, const char* what) { return get<napi_get_value_double, double>(env, value, what); }
bool to_bool(napi_env env, napi_value value, const char* what) { return get<napi_get_value_bool, bool>(env, value, what); }

int64_t to_int(napi_env env, napi_value value, const char* what) {
  double number = to_double(env, value, what);
  if (number != std::floor(number) || std::abs(number) > 9007199254740992.0) {
    throw std::runtime_error(std::string("expected ") + what + ", got " + std::to_string(number));
  }
  return static_cast<int64_t>(number);
}

std::string to_string(napi_env env, napi_value value, const char* what) {
  size_t length = 0;
  check(napi_get_value_string_utf8(env, value, nullptr, 0, &length), what);
  std::string result(length, '\0');
  check(napi_get_value_string_utf8(env, value, result.data(), length + 1, &length), what);
  return result;
}

std::vector<napi_value> to_values(napi_env env, napi_value value, const char* what) {
  std::vector<napi_value> result(get<napi_get_array_length, uint32_t>(env, value, what));
  for (uint32_t index = 0; index < result.size(); index++) result[index] = make<napi_get_element>(env, value, index);
  return result;
}

std::vector<int64_t> to_ints(napi_env env, napi_value value) {
  std::vector<int64_t> result(get<napi_get_array_length, uint32_t>(env, value, "an array of integers"));
  for (uint32_t index = 0; index < result.size(); index++) {
    result[index] = to_int(env, make<napi_get_element>(env, value, index));
  }
  return result;
}

std::vector<at::Tensor> to_tensors(napi_env env, napi_value value) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  napi_status status = napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != napi_float64_array) throw std::runtime_error("expected tensors");
  std::vector<at::Tensor> result(length);
  for (size_t index = 0; index < length; index++) {
    Handle handle = static_cast<const double*>(data)[index];
    if (handle != 0) result[index] = lookup(handle);
  }
  return result;
}

napi_value from_values(napi_env env, c10::ArrayRef<napi_value> values) {
  napi_value result = make<napi_create_array_with_length>(env, values.size());
  for (size_t index = 0; index < values.size(); index++) {
    check(napi_set_element(env, result, static_cast<uint32_t>(index), values[index]), "an array");
  }
  return result;
}

napi_value from_ints(napi_env env, c10::ArrayRef<int64_t> values) {
  std::vector<napi_value> numbers;
  for (int64_t value : values) numbers.push_back(from_double(env, static_cast<double>(value)));
  return from_values(env, numbers);
}

napi_value from_tensors(napi_env env, const std::vector<at::Tensor>& tensors) {
  std::vector<napi_value> handles;
  for (const at::Tensor& tensor : tensors) handles.push_back(from_double(env, store(tensor, env)));
  return from_values(env, handles);
}

void set_property(napi_env env, napi_value object, const char* name, napi_value value) {
  check(napi_set_named_property(env, object, name, value), name);
}

void export_functions(napi_env env, napi_value exports, std::initializer_list<Export> functions) {
  for (const Export& each : functions) {
    napi_value function;
    check(napi_create_function(env, each.name, NAPI_AUTO_LENGTH, each.callback, nullptr, &function), each.name);
    set_property(env, exports, each.name, function);
  }
}

void rethrow_to_javascript(napi_env env) {
  try {
    throw;
  } catch (const c10::Error& error) {
    napi_throw_error(env, "LIBTORCH", error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "OUT_OF_MEMORY", "expected memory for a tensor, got none");
  } catch (const std::exception& error) {
    napi_throw_error(env, "NATIVE", error.what());
  } catch (...) {
    napi_throw_error(env, "NATIVE", "an unknown C++ exception");
  }
}

}  // namespace carryover
