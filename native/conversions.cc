// JavaScript values to C++ and back, and C++ exceptions to JavaScript errors.
#include "carryover.h"

#include <c10/util/Exception.h>

#include <cmath>
#include <cstring>

namespace carryover {

double to_double(napi_env env, napi_value value, const char* what) {
  double result;
  check(napi_get_value_double(env, value, &result), what);
  return result;
}

int64_t to_int(napi_env env, napi_value value, const char* what) {
  double number = to_double(env, value, what);
  if (number != std::floor(number) || std::abs(number) > 9007199254740992.0) {
    throw std::runtime_error(std::string("expected ") + what + ", got " + std::to_string(number));
  }
  return static_cast<int64_t>(number);
}

bool to_bool(napi_env env, napi_value value, const char* what) {
  bool result;
  check(napi_get_value_bool(env, value, &result), what);
  return result;
}

std::string to_string(napi_env env, napi_value value, const char* what) {
  size_t length = 0;
  check(napi_get_value_string_utf8(env, value, nullptr, 0, &length), what);
  std::string result(length, '\0');
  check(napi_get_value_string_utf8(env, value, result.data(), length + 1, &length), what);
  return result;
}

template <typename T, T (*convert)(napi_env, napi_value, const char*)>
static std::vector<T> to_list(napi_env env, napi_value value, const char* what) {
  uint32_t length = 0;
  check(napi_get_array_length(env, value, &length), what);
  std::vector<T> result(length);
  for (uint32_t index = 0; index < length; index++) {
    napi_value element;
    check(napi_get_element(env, value, index, &element), what);
    result[index] = convert(env, element, what);
  }
  return result;
}

std::vector<int64_t> to_ints(napi_env env, napi_value value, const char* what) {
  return to_list<int64_t, to_int>(env, value, what);
}

std::vector<double> to_doubles(napi_env env, napi_value value, const char* what) {
  return to_list<double, to_double>(env, value, what);
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

bool is_nullish(napi_env env, napi_value value) {
  napi_valuetype type;
  check(napi_typeof(env, value, &type), "a value");
  return type == napi_undefined || type == napi_null;
}

napi_value from_double(napi_env env, double value) {
  napi_value result;
  check(napi_create_double(env, value, &result), "room for a number");
  return result;
}

napi_value from_bool(napi_env env, bool value) {
  napi_value result;
  check(napi_get_boolean(env, value, &result), "a boolean");
  return result;
}

napi_value from_string(napi_env env, const std::string& value) {
  napi_value result;
  check(napi_create_string_utf8(env, value.data(), value.size(), &result), "room for a string");
  return result;
}

napi_value from_ints(napi_env env, c10::ArrayRef<int64_t> values) {
  napi_value result;
  check(napi_create_array_with_length(env, values.size(), &result), "room for an array");
  for (size_t index = 0; index < values.size(); index++) {
    check(napi_set_element(env, result, index, from_double(env, static_cast<double>(values[index]))), "an array");
  }
  return result;
}

napi_value undefined(napi_env env) {
  napi_value result;
  check(napi_get_undefined(env, &result), "undefined");
  return result;
}

void set_property(napi_env env, napi_value object, const char* name, napi_value value) {
  check(napi_set_named_property(env, object, name, value), name);
}

napi_value copy_bytes(napi_env env, const void* data, size_t size) {
  void* copy;
  napi_value buffer, result;
  check(napi_create_arraybuffer(env, size, &copy, &buffer), "room for bytes");
  std::memcpy(copy, data, size);
  check(napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &result), "a typed array");
  return result;
}

void rethrow_to_javascript(napi_env env) {
  try {
    throw;
  } catch (const PendingException&) {
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
