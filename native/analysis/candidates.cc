// What may be among the k nearest of some queries in a bank, by products in float32: each thread looks through products
// while they are in its cache, and memory never holds them all.
//
// With gram.cc an addon of its own. Loading it registers the operators `carryover::gram` and
// `carryover::candidates`, which are called as all operators are, through the dispatcher.
#include <ATen/ATen.h>
#include <node_api.h>
#include <torch/library.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "shared/lanes.h"
#include "shared/products.h"
#include "shared/threads.h"

namespace carryover {
namespace {

/// Values that are looked at together: most rows have none that count.
constexpr int64_t kTogether = 64;
/// Queries and rows of the bank of one product, and the stride of its rows, which share no sets of the cache.
constexpr int64_t kQueries = 512, kBank = 1024, kStride = kBank + kLanes;

/// A query's candidates. Whatever cannot be among the k greatest, even if every value is off by the margin, is dropped.
struct List {
  float* values;
  int32_t* indices;
  int64_t room, k;
  float margin;
  float threshold = -std::numeric_limits<float>::infinity();  // values at or below are out
  int64_t count = 0;
  bool is_over = false;  // too many are the same to float32

  void push(float value, int32_t index) {
    if (count == room) drop();
    // Dropping may have raised the threshold above it.
    if (is_over || !(value > threshold)) return;
    values[count] = value;
    indices[count++] = index;
  }

  void drop() {
    static thread_local std::vector<float> order;
    order.assign(values, values + count);
    std::nth_element(order.begin(), order.begin() + (k - 1), order.end(), std::greater<float>());
    threshold = std::max(threshold, order[k - 1] - margin);
    int64_t kept = 0;
    for (int64_t at = 0; at < count; at++) {
      if (!(values[at] > threshold)) continue;
      values[kept] = values[at];
      indices[kept++] = indices[at];
    }
    count = kept;
    is_over = 2 * kept > room;
  }
};

/// Offers a row of products, those of the bank's rows from `first` on.
WIDEST void offer(const float* products, int64_t columns, int64_t first, List& list) {
  const auto look = [&](int64_t from, int64_t to) {
    for (int64_t column = from; column < to; column++) {
      if (products[column] > list.threshold) list.push(products[column], static_cast<int32_t>(first + column));
    }
  };
  int64_t column = 0;
  for (; column + kTogether <= columns; column += kTogether) {
    const float threshold = list.threshold;
    int32_t above = 0;
    for (int64_t i = 0; i < kTogether; i++) above += products[column + i] > threshold;
    if (above > 0) look(column, column + kTogether);
  }
  look(column, columns);
}

/// queries [q, width], bank [b, width], finite and float32. Values and indices [q, room] of float32 and int32, in the
/// order of the bank, and counts [q] int32: -1 where there are too many. None where there is no product of matrices in
/// the process.
std::vector<at::Tensor> candidates(const at::Tensor& queries, const at::Tensor& bank, int64_t k, double margin) {
  for (const at::Tensor* each : {&queries, &bank}) {
    TORCH_CHECK(each->device().is_cpu() && each->scalar_type() == at::kFloat && each->dim() == 2 && each->is_contiguous(),
                "carryover::candidates: expected contiguous rows of float32 on the processor");
  }
  const int64_t many = queries.size(0), width = queries.size(1), rows = bank.size(0), room = 4 * k + 32;
  TORCH_CHECK(bank.size(1) == width && k >= 1 && k <= rows, "carryover::candidates: expected a bank of at least ", k,
              " rows of ", width, " numbers");
  if (!products()) return {};
  const auto options = at::TensorOptions().dtype(at::kInt);
  const at::Tensor values = at::empty({many, room}, queries.options()), indices = at::empty({many, room}, options);
  const at::Tensor counts = at::empty({many}, options);
  const float *left = queries.data_ptr<float>(), *right = bank.data_ptr<float>();
  float* found = values.data_ptr<float>();
  int32_t *where = indices.data_ptr<int32_t>(), *number = counts.data_ptr<int32_t>();
  Threads().share(many, [&](int64_t begin, int64_t end) {
    std::vector<float> block(std::min(kQueries, end - begin) * kStride);
    for (int64_t from = begin; from < end; from += kQueries) {
      const int64_t here = std::min(kQueries, end - from);
      std::vector<List> lists;
      for (int64_t query = from; query < from + here; query++) {
        lists.push_back({found + query * room, where + query * room, room, k, static_cast<float>(margin)});
      }
      for (int64_t first = 0; first < rows; first += kBank) {
        const int64_t columns = std::min(kBank, rows - first);
        multiply(here, columns, width, {left + from * width, width}, {right + first * width, width, true}, false,
                 block.data(), kStride);
        for (int64_t i = 0; i < here; i++) offer(&block[i * kStride], columns, first, lists[i]);
      }
      for (int64_t i = 0; i < here; i++) number[from + i] = lists[i].is_over ? -1 : static_cast<int32_t>(lists[i].count);
    }
  });
  return {values, indices, counts};
}

TORCH_LIBRARY_FRAGMENT(carryover, library) {
  library.def("candidates(Tensor queries, Tensor bank, int k, float margin) -> Tensor[]");
  library.impl("candidates", c10::DispatchKey::CompositeExplicitAutograd, TORCH_FN(candidates));
}

}  // namespace
}  // namespace carryover

NAPI_MODULE_INIT() {
  (void)env;
  return exports;
}
