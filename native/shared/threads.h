// Work on LibTorch's own threads, for the addons beside carryover.node. `at::parallel_for` is inline: in an addon it
// would run on one thread, or bring a second OpenMP into the process.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>

namespace carryover {

/// As many threads as LibTorch is set to, called through its loop over elements: one element is one thread's part.
class Threads {
 public:
  Threads()
      : slots_(at::empty({at::get_num_threads()}, at::TensorOptions().dtype(at::kChar).device(at::kCPU))),
        iterator_(at::TensorIteratorConfig().check_all_same_dtype(false).resize_outputs(false).add_output(slots_).build()) {}

  /// body(from, to) for parts of [0, count) that together are the whole, at the same time; returns when all have.
  template <typename Body>
  void share(int64_t count, const Body& body) {
    const int64_t parts = slots_.numel();
    const char* first = static_cast<const char*>(slots_.data_ptr());
    iterator_.for_each(
        [&](char** slot, const int64_t* strides, int64_t here, int64_t) {
          for (int64_t i = 0; i < here; i++) {
            const int64_t part = slot[0] + i * strides[0] - first;
            const int64_t from = part * count / parts, to = (part + 1) * count / parts;
            if (from < to) body(from, to);
          }
        },
        /*grain_size=*/1);
  }

 private:
  at::Tensor slots_;
  at::TensorIterator iterator_;
};

}  // namespace carryover
