// The table of live tensors, what can be asked of one, and typed arrays in and out without a copy.
#include "carryover.h"

#include <ATen/Functions.h>
#include <c10/util/flat_hash_map.h>

#include <mutex>

namespace carryover {
namespace {

struct Slot {
  at::Tensor tensor;
  uint32_t generation = 1;
};

constexpr double kGenerationUnit = 4294967296.0;  // 2^32
constexpr uint32_t kGenerationMost = 1u << 20;    // handles stay below 2^53, exact in a double
constexpr int64_t kReportBytes = 8 << 20;         // V8 is told of native bytes in steps of this size

struct Table {
  std::vector<Slot> slots = std::vector<Slot>(1);  // slot 0 is "no tensor"
  std::vector<uint32_t> free;
  int64_t count = 0;
  int64_t bytes = 0;
  int64_t unreported = 0;
  ska::flat_hash_map<const c10::StorageImpl*, uint32_t> storages;
};

// Never destroyed: tensors may outlive static destruction at exit.
Table& table() {
  static Table* instance = new Table();
  return *instance;
}

void report(napi_env env, int64_t change) {
  Table& t = table();
  t.bytes += change;
  t.unreported += change;
  if (t.unreported > -kReportBytes && t.unreported < kReportBytes) return;
  int64_t adjusted;
  napi_adjust_external_memory(env, t.unreported, &adjusted);
  t.unreported = 0;
}

const c10::StorageImpl* storage_of(const at::Tensor& tensor) {
  return tensor.has_storage() ? tensor.storage().unsafeGetStorageImpl() : nullptr;
}

uint32_t slot_of(Handle handle) {
  auto whole = static_cast<uint64_t>(handle);
  auto slot = static_cast<uint32_t>(whole & 0xffffffffu);
  auto generation = static_cast<uint32_t>(whole >> 32);
  Table& t = table();
  if (slot == 0 || slot >= t.slots.size() || t.slots[slot].generation != generation || !t.slots[slot].tensor.defined()) {
    throw std::runtime_error("expected a live tensor, got one that was disposed of");
  }
  return slot;
}

void release(napi_env env, Handle handle) {
  Table& t = table();
  uint32_t slot = slot_of(handle);
  const c10::StorageImpl* storage = storage_of(t.slots[slot].tensor);
  if (storage != nullptr) {
    auto found = t.storages.find(storage);
    if (found != t.storages.end() && --found->second == 0) {
      t.storages.erase(found);
      report(env, -static_cast<int64_t>(storage->nbytes()));
    }
  }
  t.slots[slot].tensor.reset();
  t.slots[slot].generation = t.slots[slot].generation % kGenerationMost + 1;
  t.free.push_back(slot);
  t.count--;
}

// References to JavaScript buffers whose tensors died, perhaps on another thread; freed on the JavaScript thread.
std::mutex dead_references_mutex;
std::vector<napi_ref>& dead_references() {
  static auto* instance = new std::vector<napi_ref>();
  return *instance;
}

void drain_dead_references(napi_env env) {
  std::vector<napi_ref> dead;
  {
    std::lock_guard<std::mutex> lock(dead_references_mutex);
    dead.swap(dead_references());
  }
  for (napi_ref reference : dead) napi_delete_reference(env, reference);
}

}  // namespace

Handle store(at::Tensor tensor, napi_env env) {
  if (!tensor.defined()) return 0;
  Table& t = table();
  uint32_t slot;
  if (t.free.empty()) {
    slot = static_cast<uint32_t>(t.slots.size());
    t.slots.emplace_back();
  } else {
    slot = t.free.back();
    t.free.pop_back();
  }
  const c10::StorageImpl* storage = storage_of(tensor);
  if (storage != nullptr && ++t.storages[storage] == 1) report(env, static_cast<int64_t>(storage->nbytes()));
  t.slots[slot].tensor = std::move(tensor);
  t.count++;
  return static_cast<double>(slot) + t.slots[slot].generation * kGenerationUnit;
}

const at::Tensor& lookup(Handle handle) { return table().slots[slot_of(handle)].tensor; }

std::pair<int64_t, int64_t> live_tensors() { return {table().count, table().bytes}; }

namespace {

const at::Tensor& tensor_at(napi_env env, const Arguments& arguments, size_t index) {
  return lookup(to_double(env, arguments[index], "a tensor"));
}

napi_value release_one(napi_env env, const Arguments& arguments) {
  release(env, to_double(env, arguments[0], "a tensor"));
  return nullptr;
}

// releaseMany(handles: Float64Array, count)
napi_value release_many(napi_env env, const Arguments& arguments) {
  void* data;
  size_t length;
  check(napi_get_typedarray_info(env, arguments[0], nullptr, &length, &data, nullptr, nullptr), "handles");
  auto count = static_cast<size_t>(to_int(env, arguments[1]));
  for (size_t index = 0; index < std::min(count, length); index++) release(env, static_cast<double*>(data)[index]);
  if (!dead_references().empty()) drain_dead_references(env);
  return nullptr;
}

napi_value shape(napi_env env, const Arguments& arguments) {
  return from_ints(env, tensor_at(env, arguments, 0).sizes());
}

napi_value strides(napi_env env, const Arguments& arguments) {
  return from_ints(env, tensor_at(env, arguments, 0).strides());
}

napi_value dtype(napi_env env, const Arguments& arguments) {
  return from_double(env, static_cast<double>(tensor_at(env, arguments, 0).scalar_type()));
}

napi_value device(napi_env env, const Arguments& arguments) {
  return from_string(env, tensor_at(env, arguments, 0).device().str());
}

napi_value is_contiguous(napi_env env, const Arguments& arguments) {
  auto format = static_cast<at::MemoryFormat>(to_int(env, arguments[1]));
  return from_bool(env, tensor_at(env, arguments, 0).is_contiguous(format));
}

// The identity of the tensor object behind a handle, to tell two handles of one tensor.
napi_value identity(napi_env env, const Arguments& arguments) {
  auto address = reinterpret_cast<uintptr_t>(tensor_at(env, arguments, 0).unsafeGetTensorImpl());
  return from_double(env, static_cast<double>(address));
}

napi_value item(napi_env env, const Arguments& arguments) {
  at::Scalar value = tensor_at(env, arguments, 0).item();
  if (value.isBoolean()) return from_bool(env, value.toBool());
  return from_double(env, value.isIntegral(false) ? static_cast<double>(value.toLong()) : value.toDouble());
}

// fromBuffer(typedArray, shape, dtype): a tensor over the typed array's own memory, which lives as long as it.
napi_value from_buffer(napi_env env, const Arguments& arguments) {
  drain_dead_references(env);
  napi_typedarray_type type;
  size_t length;
  void* data;
  check(napi_get_typedarray_info(env, arguments[0], &type, &length, &data, nullptr, nullptr), "a typed array");
  std::vector<int64_t> sizes = to_ints(env, arguments[1]);
  auto scalar_type = static_cast<at::ScalarType>(to_int(env, arguments[2]));
  napi_ref reference;
  check(napi_create_reference(env, arguments[0], 1, &reference), "a typed array");
  auto forget = [reference](void*) {
    std::lock_guard<std::mutex> lock(dead_references_mutex);
    dead_references().push_back(reference);
  };
  at::Tensor tensor = at::from_blob(data, sizes, forget, at::TensorOptions().dtype(scalar_type));
  return from_double(env, store(std::move(tensor), env));
}

// toBuffer(handle): an ArrayBuffer over the memory of a contiguous CPU tensor, which it keeps alive.
napi_value to_buffer(napi_env env, const Arguments& arguments) {
  const at::Tensor& tensor = tensor_at(env, arguments, 0);
  if (!tensor.device().is_cpu() || !tensor.is_contiguous()) throw std::runtime_error("expected a contiguous tensor on the CPU");
  napi_value result;
  size_t size = tensor.nbytes();
  if (size == 0) {
    void* nothing;
    check(napi_create_arraybuffer(env, 0, &nothing, &result), "an empty buffer");
    return result;
  }
  auto* holder = new at::Tensor(tensor);
  auto finalize = [](napi_env, void*, void* hint) { delete static_cast<at::Tensor*>(hint); };
  napi_status status = napi_create_external_arraybuffer(env, tensor.data_ptr(), size, finalize, holder, &result);
  if (status != napi_ok) {
    delete holder;
    throw std::runtime_error("expected a runtime that allows external buffers");
  }
  return result;
}

napi_value live(napi_env env, const Arguments&) {
  auto [count, bytes] = live_tensors();
  int64_t values[] = {count, bytes};
  return from_ints(env, values);
}

}  // namespace

napi_value register_tensors(napi_env env, napi_value exports) {
  export_function<release_one>(env, exports, "release");
  export_function<release_many>(env, exports, "releaseMany");
  export_function<shape>(env, exports, "shape");
  export_function<strides>(env, exports, "strides");
  export_function<dtype>(env, exports, "dtype");
  export_function<device>(env, exports, "device");
  export_function<is_contiguous>(env, exports, "isContiguous");
  export_function<identity>(env, exports, "identity");
  export_function<item>(env, exports, "item");
  export_function<from_buffer>(env, exports, "fromBuffer");
  export_function<to_buffer>(env, exports, "toBuffer");
  export_function<live>(env, exports, "liveTensors");
  return exports;
}

}  // namespace carryover
