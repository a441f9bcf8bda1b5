// Threads, the allocator, random generators, devices, and the addon's entry.
#include "carryover.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/Generator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/version.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace carryover {
namespace {

std::deque<at::Generator>& generators() {
  static auto* instance = new std::deque<at::Generator>();
  return *instance;
}

napi_value keep_generator(napi_env env, at::Generator generator) {
  std::deque<at::Generator>& all = generators();
  for (size_t index = 0; index < all.size(); index++) {
    if (!all[index].defined()) {
      all[index] = std::move(generator);
      return from_double(env, static_cast<double>(index));
    }
  }
  all.push_back(std::move(generator));
  return from_double(env, static_cast<double>(all.size() - 1));
}

at::Generator default_generator(const std::string& name) {
  return at::globalContext().defaultGenerator(c10::Device(name));
}

// generatorCreate(device, seed)
napi_value generator_create(const Call& call) {
  // A clone of the device's default generator is the one way to make a generator that needs no header of that device.
  at::Generator generator = default_generator(call.text(0)).clone();
  generator.set_current_seed(static_cast<uint64_t>(call.integer(1)));
  return keep_generator(call.env, std::move(generator));
}

napi_value generator_default(const Call& call) { return keep_generator(call.env, default_generator(call.text(0))); }

void generator_release(const Call& call) {
  lookup_generator(call.integer(0));
  generators()[static_cast<size_t>(call.integer(0))] = at::Generator();
}

void generator_seed(const Call& call) {
  at::Generator generator = lookup_generator(call.integer(0));
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(static_cast<uint64_t>(call.integer(1)));
}

napi_value generator_state(const Call& call) {
  at::Generator generator = lookup_generator(call.integer(0));
  std::lock_guard<std::mutex> lock(generator.mutex());
  at::Tensor state = generator.get_state();
  return from_double(call.env, store(std::move(state), call.env));
}

void generator_set_state(const Call& call) {
  at::Generator generator = lookup_generator(call.integer(0));
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(call.tensor(1));
}

void set_threads(const Call& call) { at::set_num_threads(static_cast<int>(call.integer(0))); }
napi_value get_threads(const Call& call) { return from_double(call.env, at::get_num_threads()); }

// keepFreedMemory(): glibc keeps what is freed for the next step instead of giving it back to the kernel
// and faulting it in again. Answers whether it took effect.
napi_value keep_freed_memory(const Call& call) {
#ifdef __GLIBC__
  constexpr int kNoMmap = 0;
  constexpr int kNeverTrim = -1;
  return from_bool(call.env, mallopt(M_MMAP_MAX, kNoMmap) == 1 && mallopt(M_TRIM_THRESHOLD, kNeverTrim) == 1);
#else
  return from_bool(call.env, false);
#endif
}

// returnFreedMemory(): gives what is free back to the kernel, between phases of different size.
void return_freed_memory(const Call& call) {
  tell_memory(call.env);
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// versions(): [LibTorch's version, how it was built]
napi_value versions(const Call& call) {
  napi_value parts[] = {from_string(call.env, TORCH_VERSION), from_string(call.env, at::show_config())};
  return from_values(call.env, parts);
}

napi_value cuda_device_count(const Call& call) {
  if (!at::globalContext().hasCUDA()) return from_double(call.env, 0);
  return from_double(call.env, c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).deviceCount());
}

// synchronize(device): waits for the work queued on a GPU; does nothing on the CPU.
napi_value synchronize(const Call& call) {
  c10::Device device(call.text(0));
  if (device.is_cpu()) return nullptr;
  c10::impl::VirtualGuardImpl guard(device.type());
  guard.getStream(device.has_index() ? device : guard.getDevice()).synchronize();
  return nullptr;
}

void set_deterministic(const Call& call) {
  bool deterministic = call.truth(0);
  at::globalContext().setDeterministicAlgorithms(deterministic, /*warn_only=*/true);
  at::globalContext().setDeterministicCuDNN(deterministic);
  at::globalContext().setBenchmarkCuDNN(!deterministic);
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 2)
  at::globalContext().setDeterministicFillUninitializedMemory(false);  // a kernel for each result, to no use here
#endif
}

}  // namespace

at::Generator lookup_generator(int64_t id) {
  if (id < 0 || static_cast<size_t>(id) >= generators().size() || !generators()[static_cast<size_t>(id)].defined()) {
    throw std::runtime_error("expected a live generator, got one that was disposed of");
  }
  return generators()[static_cast<size_t>(id)];
}

void register_machine(napi_env env, napi_value exports) {
  export_functions(env, exports, {
      {"generatorCreate", guarded<generator_create>}, {"generatorDefault", guarded<generator_default>},
      {"generatorRelease", guarded<generator_release>}, {"generatorSeed", guarded<generator_seed>},
      {"generatorState", guarded<generator_state>}, {"generatorSetState", guarded<generator_set_state>},
      {"setThreads", guarded<set_threads>}, {"getThreads", guarded<get_threads>},
      {"keepFreedMemory", guarded<keep_freed_memory>}, {"returnFreedMemory", guarded<return_freed_memory>},
      {"versions", guarded<versions>}, {"cudaDeviceCount", guarded<cuda_device_count>},
      {"synchronize", guarded<synchronize>}, {"setDeterministic", guarded<set_deterministic>}
  });
}

}  // namespace carryover

NAPI_MODULE_INIT() {
  // The tables are the process's; a second JavaScript thread would race on them.
  static std::atomic<std::thread::id> owner{std::thread::id()};
  std::thread::id nobody, self = std::this_thread::get_id();
  if (!owner.compare_exchange_strong(nobody, self) && nobody != self) {
    napi_throw_error(env, "THREAD", "expected one JavaScript thread to use tensors, got a second one");
    return exports;
  }
  try {
    carryover::register_tensors(env, exports);
    carryover::register_operators(env, exports);
    carryover::register_autograd(env, exports);
    carryover::register_machine(env, exports);
  } catch (...) {
    carryover::rethrow_to_javascript(env);
  }
  return exports;
}
