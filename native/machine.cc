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
napi_value generator_create(napi_env env, const Arguments& arguments) {
  // A clone of the device's default generator is the one way to make a generator that needs no header of that device.
  at::Generator generator = default_generator(to_string(env, arguments[0])).clone();
  generator.set_current_seed(static_cast<uint64_t>(to_int(env, arguments[1])));
  return keep_generator(env, std::move(generator));
}

napi_value generator_default(napi_env env, const Arguments& arguments) {
  return keep_generator(env, default_generator(to_string(env, arguments[0])));
}

napi_value generator_release(napi_env env, const Arguments& arguments) {
  lookup_generator(to_int(env, arguments[0]));
  generators()[static_cast<size_t>(to_int(env, arguments[0]))] = at::Generator();
  return nullptr;
}

napi_value generator_seed(napi_env env, const Arguments& arguments) {
  at::Generator generator = lookup_generator(to_int(env, arguments[0]));
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(static_cast<uint64_t>(to_int(env, arguments[1])));
  return nullptr;
}

napi_value generator_state(napi_env env, const Arguments& arguments) {
  at::Generator generator = lookup_generator(to_int(env, arguments[0]));
  std::lock_guard<std::mutex> lock(generator.mutex());
  at::Tensor state = generator.get_state();
  return from_double(env, store(std::move(state), env));
}

napi_value generator_set_state(napi_env env, const Arguments& arguments) {
  at::Generator generator = lookup_generator(to_int(env, arguments[0]));
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(lookup(to_double(env, arguments[1], "a tensor")));
  return nullptr;
}

napi_value set_threads(napi_env env, const Arguments& arguments) {
  at::set_num_threads(static_cast<int>(to_int(env, arguments[0])));
  return nullptr;
}

napi_value get_threads(napi_env env, const Arguments&) { return from_double(env, at::get_num_threads()); }

// keepFreedMemory(): glibc keeps what is freed for the next step instead of giving it back to the kernel
// and faulting it in again. Answers whether it took effect.
napi_value keep_freed_memory(napi_env env, const Arguments&) {
#ifdef __GLIBC__
  constexpr int kNoMmap = 0;
  constexpr int kNeverTrim = -1;
  return from_bool(env, mallopt(M_MMAP_MAX, kNoMmap) == 1 && mallopt(M_TRIM_THRESHOLD, kNeverTrim) == 1);
#else
  return from_bool(env, false);
#endif
}

// returnFreedMemory(): gives what is free back to the kernel, between phases of different size.
napi_value return_freed_memory(napi_env, const Arguments&) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return nullptr;
}

napi_value versions(napi_env env, const Arguments&) {
  napi_value result;
  check(napi_create_object(env, &result), "an object");
  set_property(env, result, "libtorch", from_string(env, TORCH_VERSION));
  set_property(env, result, "configuration", from_string(env, at::show_config()));
  set_property(env, result, "parallel", from_string(env, at::get_parallel_info()));
  return result;
}

napi_value cuda_device_count(napi_env env, const Arguments&) {
  if (!at::globalContext().hasCUDA()) return from_double(env, 0);
  return from_double(env, c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).deviceCount());
}

// synchronize(device): waits for the work queued on a GPU; does nothing on the CPU.
napi_value synchronize(napi_env env, const Arguments& arguments) {
  c10::Device device(to_string(env, arguments[0], "a device"));
  if (device.is_cpu()) return nullptr;
  c10::impl::VirtualGuardImpl guard(device.type());
  guard.getStream(device.has_index() ? device : guard.getDevice()).synchronize();
  return nullptr;
}

napi_value set_deterministic(napi_env env, const Arguments& arguments) {
  bool deterministic = to_bool(env, arguments[0]);
  at::globalContext().setDeterministicAlgorithms(deterministic, /*warn_only=*/true);
  at::globalContext().setDeterministicCuDNN(deterministic);
  at::globalContext().setBenchmarkCuDNN(!deterministic);
  return nullptr;
}

}  // namespace

at::Generator lookup_generator(int64_t id) {
  if (id < 0 || static_cast<size_t>(id) >= generators().size() || !generators()[static_cast<size_t>(id)].defined()) {
    throw std::runtime_error("expected a live generator, got one that was disposed of");
  }
  return generators()[static_cast<size_t>(id)];
}

napi_value register_machine(napi_env env, napi_value exports) {
  export_function<generator_create>(env, exports, "generatorCreate");
  export_function<generator_default>(env, exports, "generatorDefault");
  export_function<generator_release>(env, exports, "generatorRelease");
  export_function<generator_seed>(env, exports, "generatorSeed");
  export_function<generator_state>(env, exports, "generatorState");
  export_function<generator_set_state>(env, exports, "generatorSetState");
  export_function<set_threads>(env, exports, "setThreads");
  export_function<get_threads>(env, exports, "getThreads");
  export_function<keep_freed_memory>(env, exports, "keepFreedMemory");
  export_function<return_freed_memory>(env, exports, "returnFreedMemory");
  export_function<versions>(env, exports, "versions");
  export_function<cuda_device_count>(env, exports, "cudaDeviceCount");
  export_function<synchronize>(env, exports, "synchronize");
  export_function<set_deterministic>(env, exports, "setDeterministic");
  return exports;
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
