#pragma once

#include <ATen/ATen.h>

#include "shared/lanes.h"

namespace carryover::winograd {

/// result = images * weight, float32: [N, C, H, W] channels last, [K, C, 3, 3] contiguous, [N, K, H', W'] channels
/// last, of numbers of channels that are multiples of `kLanes`. `turned`: images have K channels, the result has C, and
/// each filter is turned by 180°, which with a padding of 2 - p gives the gradient of the images.
void convolve(const at::Tensor& images, const at::Tensor& weight, int64_t padding, bool turned, const at::Tensor& result);

/// The gradient of the weight [K, C, 3, 3], float32 and contiguous, from images and the result's gradient: channels
/// last, float32 or bfloat16.
void weight_gradient(const at::Tensor& images, const at::Tensor& gradient, int64_t padding, const at::Tensor& result);

}  // namespace carryover::winograd
