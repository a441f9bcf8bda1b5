// Every ATen operator by its schema: looked up in the dispatcher once, then called boxed, so that
// autograd, autocast and the device are the dispatcher's own business and no operator is bound by hand.
#include "carryover.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <deque>

namespace carryover {
namespace {

enum class Base { Tensor, Scalar, Int, Float, Bool, String, Device, Generator };
enum class Form { One, List, ListOfOptional };

/// What one argument of an operator takes, worked out once from its schema.
struct Parameter {
  Base base;
  Form form = Form::One;
  bool optional = false;
  int64_t fixed_length = 0;  // of int[N]: a single number is repeated N times
  bool has_default = false;
  c10::IValue default_value;
  std::string name;
};

/// An operator with its argument plan.
struct Operator {
  c10::OperatorHandle handle;
  std::string name;
  std::vector<Parameter> parameters;
  bool returns_first_argument;  // in-place and out operators: the result is an argument that was written
};

std::deque<Operator>& operators() {
  static auto* instance = new std::deque<Operator>();
  return *instance;
}

Base base_of(const c10::TypePtr& type, const std::string& where) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType: return Base::Tensor;
    case c10::TypeKind::NumberType: return Base::Scalar;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
    case c10::TypeKind::ScalarTypeType:
    case c10::TypeKind::LayoutType:
    case c10::TypeKind::MemoryFormatType: return Base::Int;
    case c10::TypeKind::FloatType: return Base::Float;
    case c10::TypeKind::BoolType: return Base::Bool;
    case c10::TypeKind::StringType: return Base::String;
    case c10::TypeKind::DeviceObjType: return Base::Device;
    case c10::TypeKind::GeneratorType: return Base::Generator;
    default: throw std::runtime_error(where + ": expected a supported argument type, got " + type->str());
  }
}

c10::TypePtr element_of_optional(const c10::TypePtr& type) { return type->castRaw<c10::OptionalType>()->getElementType(); }

Parameter parameter_of(const c10::Argument& argument, const std::string& where) {
  Parameter result;
  result.name = argument.name();
  c10::TypePtr type = argument.type();
  if (type->kind() == c10::TypeKind::OptionalType) {
    result.optional = true;
    type = element_of_optional(type);
  }
  if (type->kind() == c10::TypeKind::ListType) {
    result.form = Form::List;
    type = type->castRaw<c10::ListType>()->getElementType();
    if (type->kind() == c10::TypeKind::OptionalType) {
      result.form = Form::ListOfOptional;
      type = element_of_optional(type);
    }
    if (argument.N()) result.fixed_length = *argument.N();
  }
  result.base = base_of(type, where + "." + result.name);
  result.has_default = argument.default_value().has_value();
  if (result.has_default) result.default_value = *argument.default_value();
  return result;
}

c10::OperatorHandle find(const std::string& name, const std::string& overload) {
  auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!handle) {
    throw std::runtime_error(name + (overload.empty() ? "" : "." + overload) +
                             ": expected an operator of this LibTorch, found none");
  }
  return *handle;
}

bool writes_result(const c10::FunctionSchema& schema) {
  if (schema.returns().size() != 1) return false;
  const c10::AliasInfo* alias = schema.returns()[0].alias_info();
  return alias != nullptr && alias->isWrite();
}

napi_valuetype type_of(napi_env env, napi_value value) {
  napi_valuetype type;
  check(napi_typeof(env, value, &type), "a value");
  return type;
}

c10::Scalar to_scalar(napi_env env, napi_value value, napi_valuetype type) {
  if (type == napi_boolean) return c10::Scalar(to_bool(env, value));
  double number = to_double(env, value, "a number");
  // JavaScript has one kind of number; whole ones act as integers so that integer tensors stay integers.
  bool whole = number == std::floor(number) && std::abs(number) < 9007199254740992.0;
  return whole ? c10::Scalar(static_cast<int64_t>(number)) : c10::Scalar(number);
}

c10::IValue to_one(napi_env env, napi_value value, napi_valuetype type, Base base) {
  switch (base) {
    case Base::Tensor: return lookup(to_double(env, value, "a tensor"));
    case Base::Scalar: return to_scalar(env, value, type);
    case Base::Int: return to_int(env, value);
    case Base::Float: return to_double(env, value);
    case Base::Bool: return to_bool(env, value);
    case Base::String: return to_string(env, value);
    case Base::Device: return c10::Device(to_string(env, value, "a device"));
    case Base::Generator: return lookup_generator(to_int(env, value, "a generator"));
  }
  throw std::runtime_error("expected a supported argument");
}

template <typename List, typename Convert>
c10::IValue collect(napi_env env, napi_value value, List list, Convert convert) {
  for (napi_value element : to_values(env, value)) list.push_back(convert(element));
  return c10::IValue(std::move(list));
}

c10::IValue to_list(napi_env env, napi_value value, napi_valuetype type, const Parameter& parameter) {
  switch (parameter.base) {
    case Base::Tensor: {
      std::vector<at::Tensor> tensors = to_tensors(env, value);
      if (parameter.form == Form::List) return c10::IValue(std::move(tensors));
      c10::List<c10::optional<at::Tensor>> list;
      list.reserve(tensors.size());
      for (at::Tensor& tensor : tensors) {
        list.push_back(tensor.defined() ? c10::optional<at::Tensor>(std::move(tensor)) : c10::nullopt);
      }
      return c10::IValue(std::move(list));
    }
    case Base::Int:
      if (type == napi_number) {
        auto length = static_cast<size_t>(std::max<int64_t>(1, parameter.fixed_length));
        return c10::IValue(std::vector<int64_t>(length, to_int(env, value)));
      }
      return c10::IValue(to_ints(env, value));
    case Base::Float:
      return collect(env, value, std::vector<double>(), [&](napi_value element) { return to_double(env, element); });
    case Base::Bool: return collect(env, value, c10::List<bool>(), [&](napi_value element) { return to_bool(env, element); });
    case Base::Scalar:
      return collect(env, value, std::vector<at::Scalar>(),
                     [&](napi_value element) { return to_scalar(env, element, type_of(env, element)); });
    default: throw std::runtime_error("expected a supported list");
  }
}

c10::IValue to_argument(napi_env env, napi_value value, const Operator& op, size_t index) {
  const Parameter& parameter = op.parameters[index];
  const napi_valuetype type = type_of(env, value);
  if (type == napi_undefined || type == napi_null) {
    if (type == napi_undefined && parameter.has_default) return parameter.default_value;
    if (parameter.optional) return c10::IValue();
    throw std::runtime_error("expected a value, got none");
  }
  return parameter.form == Form::One ? to_one(env, value, type, parameter.base) : to_list(env, value, type, parameter);
}

napi_value from_result(napi_env env, const c10::IValue& value) {
  if (value.isTensor()) return from_double(env, store(value.toTensor(), env));
  if (value.isInt()) return from_double(env, static_cast<double>(value.toInt()));
  if (value.isDouble()) return from_double(env, value.toDouble());
  if (value.isBool()) return from_bool(env, value.toBool());
  if (value.isNone()) return undefined(env);
  if (value.isScalar()) return from_double(env, value.toScalar().toDouble());
  if (value.isTensorList()) return from_tensors(env, value.toTensorVector());
  throw std::runtime_error("expected a supported result, got " + value.tagKind());
}

// operator(name, overload): an id for `call`.
napi_value prepare(const Call& call) {
  std::string name = call.text(0);
  std::string overload = call.text(1);
  c10::OperatorHandle handle = find(name, overload);
  const c10::FunctionSchema& schema = handle.schema();
  Operator op{handle, overload.empty() ? name : name + "." + overload, {}, writes_result(schema)};
  for (const c10::Argument& argument : schema.arguments()) op.parameters.push_back(parameter_of(argument, op.name));
  operators().push_back(std::move(op));
  return from_double(call.env, static_cast<double>(operators().size() - 1));
}

// call(id, ...arguments): the result, or an array of results; undefined where the result is the argument written.
napi_value call_operator(const Call& call) {
  auto id = static_cast<size_t>(call.integer(0));
  if (id >= operators().size()) throw std::runtime_error("expected a prepared operator");
  const Operator& op = operators()[id];
  if (call.count - 1 > op.parameters.size()) {
    throw std::runtime_error(op.name + ": expected at most " + std::to_string(op.parameters.size()) + " arguments, got " +
                             std::to_string(call.count - 1));
  }
  torch::jit::Stack stack;
  stack.reserve(op.parameters.size());
  for (size_t index = 0; index < op.parameters.size(); index++) {
    try {
      stack.push_back(to_argument(call.env, call.values[index + 1], op, index));
    } catch (const std::exception& error) {
      throw std::runtime_error(op.name + ": " + op.parameters[index].name + ": " + error.what());
    }
  }
  op.handle.callBoxed(stack);
  if (op.returns_first_argument || stack.empty()) return nullptr;
  if (stack.size() == 1) return from_result(call.env, stack[0]);
  std::vector<napi_value> results;
  for (const c10::IValue& value : stack) results.push_back(from_result(call.env, value));
  return from_values(call.env, results);
}

// One argument or result as [name, type, N of T[N], keyword only, written, default or undefined].
napi_value describe(napi_env env, const c10::Argument& argument) {
  std::ostringstream text;
  if (argument.default_value()) text << *argument.default_value();
  // The declared type: `int?` of a dtype argument is `ScalarType?` here.
  napi_value parts[] = {
      from_string(env, argument.name()),
      from_string(env, argument.real_type()->str()),
      from_double(env, argument.N() ? static_cast<double>(*argument.N()) : 0),
      from_bool(env, argument.kwarg_only()),
      from_bool(env, argument.alias_info() != nullptr && argument.alias_info()->isWrite()),
      argument.default_value() ? from_string(env, text.str()) : undefined(env),
  };
  return from_values(env, {parts, std::size(parts)});
}

napi_value describe_all(napi_env env, const std::vector<c10::Argument>& list) {
  std::vector<napi_value> values;
  for (const c10::Argument& argument : list) values.push_back(describe(env, argument));
  return from_values(env, values);
}

// schema(name, overload): [arguments, returns], from which the typed wrappers are generated.
napi_value schema(const Call& call) {
  c10::OperatorHandle handle = find(call.text(0), call.text(1));
  napi_value parts[] = {describe_all(call.env, handle.schema().arguments()), describe_all(call.env, handle.schema().returns())};
  return from_values(call.env, parts);
}

}  // namespace

void register_operators(napi_env env, napi_value exports) {
  export_functions(env, exports, {
      {"operator", guarded<prepare>}, {"call", guarded<call_operator>}, {"schema", guarded<schema>}
  });
}

}  // namespace carryover
