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
  int64_t told = 0;  // of them, to V8
  int64_t known_to_v8 = 0;
  ska::flat_hash_map<const c10::StorageImpl*, uint32_t> storages;
};

// Never destroyed: tensors may outlive static destruction at exit.
Table& table() {
  static Table* instance = new Table();
  return *instance;
}

// V8 is told of growth alone: what one training step frees the next one takes again, and V8, told of both, would
// collect garbage all the time, on cores that the step needs. `tell_memory` brings it down to what is in use.
void report(napi_env env, int64_t change) {
  table().bytes += change;
  if (table().bytes >= table().told + kReportBytes) tell_memory(env);
}

// Counts a handle more (1) or less (-1) on the tensor's storage; the first and the last one change the bytes held.
void count_storage(napi_env env, const at::Tensor& tensor, int change) {
  if (!tensor.has_storage()) return;
  const c10::StorageImpl* storage = tensor.storage().unsafeGetStorageImpl();
  uint32_t& handles = table().storages[storage];
  if (change > 0 ? handles++ != 0 : handles-- > 1) return;
  if (change < 0) table().storages.erase(storage);
  report(env, change * static_cast<int64_t>(storage->nbytes()));
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
  count_storage(env, t.slots[slot].tensor, -1);
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

void tell_memory(napi_env env) {
  Table& t = table();
  napi_adjust_external_memory(env, t.bytes - t.told, &t.known_to_v8);
  t.told = t.bytes;
}

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
  count_storage(env, tensor, 1);
  t.slots[slot].tensor = std::move(tensor);
  t.count++;
  return static_cast<double>(slot) + t.slots[slot].generation * kGenerationUnit;
}

const at::Tensor& lookup(Handle handle) { return table().slots[slot_of(handle)].tensor; }

namespace {

void release_one(const Call& call) { release(call.env, call.number(0)); }

// releaseMany(handles: Float64Array, count)
void release_many(const Call& call) {
  void* data;
  size_t length;
  check(napi_get_typedarray_info(call.env, call.values[0], nullptr, &length, &data, nullptr, nullptr), "handles");
  auto count = static_cast<size_t>(call.integer(1));
  for (size_t index = 0; index < std::min(count, length); index++) release(call.env, static_cast<double*>(data)[index]);
  if (!dead_references().empty()) drain_dead_references(call.env);
}

// setData(tensor, other): the tensor keeps its identity and takes the other's values, as PyTorch's `.data =`.
void set_data(const Call& call) {
  const at::Tensor& tensor = call.tensor(0);
  count_storage(call.env, tensor, -1);
  tensor.set_data(call.tensor(1));
  count_storage(call.env, tensor, 1);
}

napi_value shape(const Call& call) { return from_ints(call.env, call.tensor(0).sizes()); }
napi_value strides(const Call& call) { return from_ints(call.env, call.tensor(0).strides()); }
napi_value dtype(const Call& call) { return from_double(call.env, static_cast<double>(call.tensor(0).scalar_type())); }
napi_value device(const Call& call) { return from_string(call.env, call.tensor(0).device().str()); }

napi_value is_contiguous(const Call& call) {
  auto format = static_cast<at::MemoryFormat>(call.integer(1));
  return from_bool(call.env, call.tensor(0).is_contiguous(format));
}

// The identity of the tensor object behind a handle, to tell two handles of one tensor.
napi_value identity(const Call& call) {
  auto address = reinterpret_cast<uintptr_t>(call.tensor(0).unsafeGetTensorImpl());
  return from_double(call.env, static_cast<double>(address));
}

napi_value item(const Call& call) {
  at::Scalar value = call.tensor(0).item();
  if (value.isBoolean()) return from_bool(call.env, value.toBool());
  return from_double(call.env, value.isIntegral(false) ? static_cast<double>(value.toLong()) : value.toDouble());
}

// fromBuffer(typedArray, shape, dtype): a tensor over the typed array's own memory, which lives as long as it.
napi_value from_buffer(const Call& call) {
  drain_dead_references(call.env);
  napi_typedarray_type type;
  size_t length;
  void* data;
  check(napi_get_typedarray_info(call.env, call.values[0], &type, &length, &data, nullptr, nullptr), "a typed array");
  std::vector<int64_t> sizes = to_ints(call.env, call.values[1]);
  auto scalar_type = static_cast<at::ScalarType>(call.integer(2));
  napi_ref reference;
  check(napi_create_reference(call.env, call.values[0], 1, &reference), "a typed array");
  auto forget = [reference](void*) {
    std::lock_guard<std::mutex> lock(dead_references_mutex);
    dead_references().push_back(reference);
  };
  at::Tensor tensor = at::from_blob(data, sizes, forget, at::TensorOptions().dtype(scalar_type));
  return from_double(call.env, store(std::move(tensor), call.env));
}

// toBuffer(handle): an ArrayBuffer over the memory of a contiguous CPU tensor, which it keeps alive.
napi_value to_buffer(const Call& call) {
  const at::Tensor& tensor = call.tensor(0);
  if (!tensor.device().is_cpu() || !tensor.is_contiguous()) throw std::runtime_error("expected a contiguous tensor on the CPU");
  napi_value result;
  size_t size = tensor.nbytes();
  if (size == 0) {
    void* nothing;
    check(napi_create_arraybuffer(call.env, 0, &nothing, &result), "an empty buffer");
    return result;
  }
  auto* holder = new at::Tensor(tensor);
  auto finalize = [](napi_env, void*, void* hint) { delete static_cast<at::Tensor*>(hint); };
  napi_status status = napi_create_external_arraybuffer(call.env, tensor.data_ptr(), size, finalize, holder, &result);
  if (status != napi_ok) {
    delete holder;
    throw std::runtime_error("expected a runtime that allows external buffers");
  }
  return result;
}

napi_value live(const Call& call) {
  int64_t values[] = {table().count, table().bytes, table().known_to_v8};
  return from_ints(call.env, values);
}

}  // namespace

void register_tensors(napi_env env, napi_value exports) {
  export_functions(env, exports, {
      {"setData", guarded<set_data>}, {"release", guarded<release_one>}, {"releaseMany", guarded<release_many>}, {"shape", guarded<shape>},
      {"strides", guarded<strides>}, {"dtype", guarded<dtype>}, {"device", guarded<device>},
      {"isContiguous", guarded<is_contiguous>}, {"identity", guarded<identity>}, {"item", guarded<item>},
      {"fromBuffer", guarded<from_buffer>}, {"toBuffer", guarded<to_buffer>}, {"liveTensors", guarded<live>}
  });
}

}  // namespace carryover
