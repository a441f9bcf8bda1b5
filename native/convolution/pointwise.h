#pragma once

#include <ATen/ATen.h>

namespace carryover::pointwise {

/// The gradients of 1 × 1 convolutions of stride 1, as products of matrices: float32, images channels last, weight
/// [K, C, 1, 1] contiguous.
void input_gradient(const at::Tensor& gradient, const at::Tensor& weight, const at::Tensor& result);
void weight_gradient(const at::Tensor& images, const at::Tensor& gradient, const at::Tensor& result);

}  // namespace carryover::pointwise
