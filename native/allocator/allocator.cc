// Memory for tensors on the processor that is found again when it is free. LibTorch asks for aligned memory, and glibc
// before 2.38 looks for a block that is larger by the alignment: the hole that a tensor leaves is too small for the
// next tensor of its size, is broken up, and the heap grows. Here every block has room for its alignment.
//
// An addon of its own: loading it makes it LibTorch's allocator. What was allocated before is freed as before.
#include <c10/core/CPUAllocator.h>
#include <node_api.h>

#include <cstdlib>
#include <cstring>
#include <limits>

namespace {

constexpr size_t kAlignment = 64;

struct Allocator final : at::Allocator {
  // The block's own address stands before the tensor's memory.
  static void drop(void* data) {
    if (data) std::free(static_cast<void**>(data)[-1]);
  }

  // It is const in LibTorch 1 and not in 2: one of them overrides.
  at::DataPtr allocate(size_t count) const { return give(count); }
  at::DataPtr allocate(size_t count) { return give(count); }

  static at::DataPtr give(size_t count) {
    const at::Device processor(at::kCPU);
    if (count == 0) return {nullptr, nullptr, &drop, processor};
    const bool is_possible = count < std::numeric_limits<ptrdiff_t>::max() - kAlignment;
    void* block = is_possible ? std::malloc(count + kAlignment) : nullptr;
    TORCH_CHECK(block, "can't allocate memory: you tried to allocate ", count, " bytes");
    // malloc aligns to 16, so that the address has at least that much room.
    const auto address = (reinterpret_cast<uintptr_t>(block) + kAlignment) & ~uintptr_t(kAlignment - 1);
    void* data = reinterpret_cast<void*>(address);
    static_cast<void**>(data)[-1] = block;
    return {data, data, &drop, processor};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &drop; }

  // Asked for by newer LibTorchs.
  void copy_data(void* to, const void* from, size_t count) const { std::memcpy(to, from, count); }
};

}  // namespace

NAPI_MODULE_INIT() {
  (void)env;
  static auto* allocator = new Allocator();
  c10::SetCPUAllocator(allocator, /*priority=*/1);
  return exports;
}
