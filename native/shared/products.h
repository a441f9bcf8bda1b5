// Products of float32 matrices on one thread, by a kernel that LibTorch's process has already.
#pragma once

#include <cstdint>

// oneDNN's, rows first, which is fast for few rows, too: Debian's LibTorch brings it along.
extern "C" __attribute__((weak)) int dnnl_sgemm(char, char, int64_t, int64_t, int64_t, float, const float*, int64_t,
                                                const float*, int64_t, float, float*, int64_t);
// BLAS's, columns first: MKL's in the LibTorch of Python's wheels.
extern "C" __attribute__((weak)) void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*,
                                             const float*, const int*, const float*, const int*, const float*, float*,
                                             const int*);

namespace carryover {

/// Whose kernel it is; null where there is none, or where the processor has no vectors of eight.
inline const char* products() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2")) return nullptr;
  return dnnl_sgemm ? "oneDNN" : sgemm_ ? "BLAS" : nullptr;
#else
  return nullptr;
#endif
}

/// A matrix with the stride of its rows; `turned` is its transpose.
struct Factor {
  const float* data;
  int64_t stride;
  bool turned = false;
};

/// result[rows, columns] (+)= left[rows, inner] · right[inner, columns], rows first.
inline void multiply(int64_t rows, int64_t columns, int64_t inner, const Factor& left, const Factor& right, bool add,
                     float* result, int64_t stride) {
  const float one = 1, beta = add ? 1 : 0;
  const char turn_left = left.turned ? 'T' : 'N', turn_right = right.turned ? 'T' : 'N';
  if (dnnl_sgemm) {
    dnnl_sgemm(turn_left, turn_right, rows, columns, inner, one, left.data, left.stride, right.data, right.stride, beta,
               result, stride);
    return;
  }
  // Columns first, it is the product of the transposes.
  const int m = static_cast<int>(columns), n = static_cast<int>(rows), k = static_cast<int>(inner);
  const int l = static_cast<int>(left.stride), r = static_cast<int>(right.stride), c = static_cast<int>(stride);
  sgemm_(&turn_right, &turn_left, &m, &n, &k, &one, right.data, &r, left.data, &l, &beta, result, &c);
}

}  // namespace carryover
