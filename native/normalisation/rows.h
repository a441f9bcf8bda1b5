#pragma once

#include <ATen/ATen.h>

#include "shared/lanes.h"

namespace carryover {

/// Rows of so many numbers, float or bfloat16 (as uint16_t): the pixels of channels-last images, or tokens.
struct Rows {
  void* data;
  int64_t count, width;
  bool is_half;
  Rows(const at::Tensor& tensor, int64_t width)
      : data(tensor.data_ptr()),
        count(tensor.numel() / width),
        width(width),
        is_half(tensor.scalar_type() == at::kBFloat16) {}
  template <typename Number>
  INLINE Number* at(int64_t row) const {
    return static_cast<Number*>(data) + row * width;
  }
};

}  // namespace carryover
