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

/// result[rows, columns] (+)= left[rows, inner] · right[inner, columns], rows first, each with the stride of its rows.
/// `turned`: left is [inner, rows].
inline void multiply(bool turned, int64_t rows, int64_t columns, int64_t inner, const float* left, int64_t left_stride,
                     const float* right, int64_t right_stride, bool add, float* result, int64_t result_stride) {
  const float one = 1, beta = add ? 1 : 0;
  if (dnnl_sgemm) {
    dnnl_sgemm(turned ? 'T' : 'N', 'N', rows, columns, inner, one, left, left_stride, right, right_stride, beta, result,
               result_stride);
    return;
  }
  // Columns first, it is the product of the transposes.
  const int m = static_cast<int>(columns), n = static_cast<int>(rows), k = static_cast<int>(inner);
  const int l = static_cast<int>(left_stride), r = static_cast<int>(right_stride), c = static_cast<int>(result_stride);
  sgemm_("N", turned ? "T" : "N", &m, &n, &k, &one, right, &r, left, &l, &beta, result, &c);
}

}  // namespace carryover
