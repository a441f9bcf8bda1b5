// The Gram matrix of a batch's centred features, which CKA compares. Each thread centres some features at a time and
// multiplies them while they are in its cache; LibTorch's operators would pass over memory for each step, and BLAS
// shares a product of so few rows among threads badly.
#include <ATen/ATen.h>
#include <torch/library.h>

#include <vector>

#include "shared/lanes.h"
#include "shared/products.h"
#include "shared/threads.h"

namespace carryover {
namespace {

/// Features at a time: those of a batch of 128 are half of a second cache.
constexpr int64_t kFeatures = 1024;
/// Rows of a power of two of bytes would share the same few sets of the first cache.
constexpr int64_t kStride = kFeatures + kLanes;

/// Rows of features, as float or as bfloat16, of all parts of a batch.
struct Batch {
  std::vector<const void*> rows;
  bool is_half;
};

template <typename Number>
INLINE void centre_of(const Batch& batch, int64_t first, int64_t features, float* centred, float* means) {
  const auto samples = static_cast<int64_t>(batch.rows.size());
  const int64_t whole = features / kLanes * kLanes;
  const auto row_of = [&](int64_t row) { return static_cast<const Number*>(batch.rows[row]) + first; };
  std::fill_n(means, kFeatures, 0.0f);
  // Row by row, as the features lie: column by column would touch a page a row.
  for (int64_t row = 0; row < samples; row++) {
    const Number* here = row_of(row);
    float* copy = centred + row * kStride;
    Lanes value;
    for (int64_t c = 0; c < whole; c += kLanes) {
      read(here + c, value);
      write(value, copy + c);
      lanes(means + c) += value;
    }
    if (whole == features) continue;
    Number rest[kLanes] = {};
    std::copy(here + whole, here + features, rest);
    read(rest, value);
    write(value, copy + whole);
    lanes(means + whole) += value;
  }
  for (int64_t c = 0; c < features; c++) means[c] /= static_cast<float>(samples);
  for (int64_t row = 0; row < samples; row++) {
    float* copy = centred + row * kStride;
    for (int64_t c = 0; c < features; c += kLanes) lanes(copy + c) -= lanes(means + c);
  }
}

/// Some features of all rows less their means: [rows, kStride], zero between the last feature and a whole vector.
WIDEST void centre(const Batch& batch, int64_t first, int64_t features, float* centred, float* means) {
  batch.is_half ? centre_of<uint16_t>(batch, first, features, centred, means)
               : centre_of<float>(batch, first, features, centred, means);
}

/// What one thread adds up, in float64.
struct Sums {
  std::vector<double> products;
  double means = 0;
};

void add_features(const Batch& batch, int64_t from, int64_t to, Sums& sums) {
  const auto samples = static_cast<int64_t>(batch.rows.size());
  const int64_t half = (samples + 1) / 2;
  std::vector<float> centred(samples * kStride), products(samples * samples), means(kFeatures);
  for (int64_t first = from; first < to; first += kFeatures) {
    const int64_t features = std::min(kFeatures, to - first), inner = (features + kLanes - 1) / kLanes * kLanes;
    centre(batch, first, features, centred.data(), means.data());
    // The matrix is symmetric: its lower left quarter is not computed.
    const Factor upper = {centred.data(), kStride}, all = {centred.data(), kStride, true};
    const Factor lower = {centred.data() + half * kStride, kStride}, rest = {lower.data, kStride, true};
    multiply(half, samples, inner, upper, all, false, products.data(), samples);
    multiply(samples - half, samples - half, inner, lower, rest, false, &products[half * samples + half], samples);
    for (int64_t i = 0; i < samples * samples; i++) sums.products[i] += products[i];
    for (int64_t c = 0; c < features; c++) sums.means += static_cast<double>(means[c]) * means[c];
  }
}

/// [samples, samples] float64, and the sum of the squared means; none where there is no product of matrices in the
/// process or the parts are not rows of float32 or of bfloat16.
std::tuple<c10::optional<at::Tensor>, double> gram(at::TensorList parts) {
  Batch batch;
  const int64_t features = parts[0].dim() == 2 ? parts[0].size(1) : 0;
  const at::ScalarType type = parts[0].scalar_type();
  batch.is_half = type == at::kBFloat16;
  for (const at::Tensor& part : parts) {
    const bool is_taken = products() && part.device().is_cpu() && part.dim() == 2 && part.size(1) == features &&
                          features > 0 && part.scalar_type() == type && (batch.is_half || type == at::kFloat) &&
                          part.stride(1) == 1;
    if (!is_taken) return {c10::nullopt, 0};
    for (int64_t row = 0; row < part.size(0); row++) {
      batch.rows.push_back(static_cast<const char*>(part.data_ptr()) + row * part.stride(0) * part.element_size());
    }
  }
  const auto samples = static_cast<int64_t>(batch.rows.size());
  const int64_t threads = at::get_num_threads(), blocks = (features + kFeatures - 1) / kFeatures;
  std::vector<Sums> sums(threads);
  Threads().share(threads, [&](int64_t begin, int64_t end) {
    for (int64_t thread = begin; thread < end; thread++) {
      sums[thread].products.resize(samples * samples);
      const int64_t from = thread * blocks / threads * kFeatures;
      const int64_t to = std::min(features, (thread + 1) * blocks / threads * kFeatures);
      if (from < to) add_features(batch, from, to, sums[thread]);
    }
  });
  const at::Tensor result = at::empty({samples, samples}, at::TensorOptions().dtype(at::kDouble));
  double *values = result.data_ptr<double>(), means = 0;
  const int64_t half = (samples + 1) / 2;
  for (int64_t row = 0; row < samples; row++) {
    for (int64_t column = 0; column < samples; column++) {
      const int64_t at = row >= half && column < half ? column * samples + row : row * samples + column;
      double sum = 0;
      for (const Sums& each : sums) sum += each.products[at];
      values[row * samples + column] = sum;
    }
  }
  for (const Sums& each : sums) means += each.means;
  return {result, means};
}

TORCH_LIBRARY_FRAGMENT(carryover, library) {
  library.def("gram(Tensor[] parts) -> (Tensor?, float)");
  library.impl("gram", c10::DispatchKey::CompositeExplicitAutograd, TORCH_FN(gram));
}

}  // namespace
}  // namespace carryover
