// Winograd's minimal filtering F(4 × 4, 3 × 3) (Lavin and Gray 2016, https://arxiv.org/abs/1509.09308): a quarter of the
// multiplications of 3 × 3 convolutions. Images are channels last, a vector is sixteen channels of one pixel, so that
// nothing is laid out anew; for each of the 36 points of the transformed tiles there is one product of matrices.
#include "winograd.h"

#include <algorithm>

#include "shared/lanes.h"
#include "shared/products.h"
#include "shared/threads.h"

namespace carryover {
namespace {

constexpr int64_t kPoints = 36;
/// Of the points of both sides of a product: what stays in the third cache.
constexpr int64_t kChunkBytes = 4 << 20;

// Polynomials are interpolated at 0, ±a, ±b and infinity: these round to half the error of 1 and 2.
constexpr float a = 0.625f, b = 1.5f, aa = a * a, bb = b * b;
constexpr float kOrigin = 1 / (aa * bb), kNear = 1 / (2 * aa * (aa - bb)), kFar = 1 / (2 * bb * (bb - aa));

// One dimension of each transform, from `stride`d vectors.

/// Bᵀ d: of six pixels, to six points.
INLINE void transform_input(const Lanes* d, int stride, Lanes* out) {
  const Lanes d0 = d[0], d1 = d[stride], d2 = d[2 * stride], d3 = d[3 * stride], d4 = d[4 * stride], d5 = d[5 * stride];
  const Lanes even_a = d4 - bb * d2, odd_a = a * (d3 - bb * d1), even_b = d4 - aa * d2, odd_b = b * (d3 - aa * d1);
  out[0] = aa * bb * d0 - (aa + bb) * d2 + d4;
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = aa * bb * d1 - (aa + bb) * d3 + d5;
}

/// Aᵀ m: of six points, to four pixels of the result.
INLINE void transform_output(const Lanes* m, int stride, Lanes* out) {
  const Lanes near = m[stride] + m[2 * stride], nearby = m[stride] - m[2 * stride];
  const Lanes far = m[3 * stride] + m[4 * stride], further = m[3 * stride] - m[4 * stride];
  out[0] = m[0] + near + far;
  out[1] = a * nearby + b * further;
  out[2] = aa * near + bb * far;
  out[3] = a * aa * nearby + b * bb * further + m[5 * stride];
}

/// A g: of the gradient of four pixels, to six points.
INLINE void transform_gradient(const Lanes* g, int stride, Lanes* out) {
  const Lanes g0 = g[0], g1 = g[stride], g2 = g[2 * stride], g3 = g[3 * stride];
  const Lanes even_a = g0 + aa * g2, odd_a = a * (g1 + aa * g3), even_b = g0 + bb * g2, odd_b = b * (g1 + bb * g3);
  out[0] = g0;
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = g3;
}

/// G w: of three weights, to six points.
INLINE void transform_filter(const Lanes* w, int stride, Lanes* out) {
  const Lanes w0 = w[0], w1 = w[stride], w2 = w[2 * stride];
  const Lanes even_a = kNear * (w0 + aa * w2), odd_a = kNear * a * w1, even_b = kFar * (w0 + bb * w2), odd_b = kFar * b * w1;
  out[0] = kOrigin * w0;
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = w2;
}

/// Gᵀ u: of six points, to the gradient of three weights.
INLINE void transform_filter_gradient(const Lanes* u, int stride, Lanes* out) {
  const Lanes near = kNear * (u[stride] + u[2 * stride]), nearby = kNear * (u[stride] - u[2 * stride]);
  const Lanes far = kFar * (u[3 * stride] + u[4 * stride]), further = kFar * (u[3 * stride] - u[4 * stride]);
  out[0] = kOrigin * u[0] + near + far;
  out[1] = a * nearby + b * further;
  out[2] = aa * near + bb * far + u[5 * stride];
}

/// Sixteen-channel vectors of the `size` × `size` pixels of an image at (top, left), zero beyond its edge.
template <int size, typename Number>
INLINE void load(const Number* image, int64_t height, int64_t width, int64_t channels, int64_t top, int64_t left, Lanes* to) {
  const Number* corner = image + (top * width + left) * channels;
  const bool is_inside = top >= 0 && left >= 0 && top + size <= height && left + size <= width;
  if (is_inside) {
    for (int64_t y = 0; y < size; y++) {
      for (int64_t x = 0; x < size; x++) read(corner + (y * width + x) * channels, to[y * size + x]);
    }
    return;
  }
  for (int64_t y = 0; y < size; y++) {
    const bool is_row = top + y >= 0 && top + y < height;
    for (int64_t x = 0; x < size; x++) {
      if (is_row && left + x >= 0 && left + x < width) {
        read(corner + (y * width + x) * channels, to[y * size + x]);
      } else {
        to[y * size + x] = Lanes{};
      }
    }
  }
}

/// Tiles [n, y, x] of 4 × 4 pixels that cover the result.
struct Tiling {
  int64_t batch, height, width, rows, columns;
  Tiling(int64_t batch, int64_t height, int64_t width)
      : batch(batch), height(height), width(width), rows((height + 3) / 4), columns((width + 3) / 4) {}
  int64_t count() const { return batch * rows * columns; }
};

/// Channels-last images of float, or of bfloat16 as uint16_t.
template <typename Number>
struct Images {
  Number* data;
  int64_t height, width, channels;
  explicit Images(const at::Tensor& tensor)
      : data(static_cast<Number*>(tensor.data_ptr())), height(tensor.size(2)), width(tensor.size(3)), channels(tensor.size(1)) {}
  Number* at(int64_t n, int64_t channel) const { return data + n * height * width * channels + channel; }
};

/// Matrices [36][rows][columns], each begun at another set of the first cache than its neighbours.
struct Matrices {
  int64_t rows, columns, stride;
  float* data = nullptr;
  Matrices(int64_t rows, int64_t columns) : rows(rows), columns(columns), stride((rows * columns / kLanes | 1) * kLanes) {}
  float* at(int64_t point, int64_t row) const { return data + point * stride + row * columns; }
  INLINE Lanes& lanes(int64_t point, int64_t row, int64_t column) const {
    return *reinterpret_cast<Lanes*>(at(point, row) + column);
  }
};

/// Gives matrices their memory, which stays for the next convolution: taken anew each time it would split the heap.
void place(std::initializer_list<Matrices*> all) {
  thread_local auto* kept = new at::Tensor();  // never destroyed: LibTorch may go first
  int64_t count = 0;
  for (const Matrices* each : all) count += kPoints * each->stride;
  if (!kept->defined() || kept->numel() < count) {
    *kept = at::Tensor();
    *kept = at::empty({count}, at::TensorOptions().dtype(at::kFloat).device(at::kCPU));
  }
  float* next = kept->data_ptr<float>();
  for (Matrices* each : all) {
    each->data = next;
    next += kPoints * each->stride;
  }
}

/// Bᵀ d B of the tiles [from, to), to the rows from `from - first` on.
template <typename Number>
INLINE void enter_tiles(const Images<Number>& images, const Tiling& tiling, int64_t padding, int64_t first, int64_t from, int64_t to,
                  const Matrices& result) {
  for (int64_t tile = from; tile < to; tile++) {
    const int64_t n = tile / (tiling.rows * tiling.columns);
    const int64_t top = tile / tiling.columns % tiling.rows * 4 - padding, left = tile % tiling.columns * 4 - padding;
    for (int64_t channel = 0; channel < images.channels; channel += kLanes) {
      Lanes pixels[36], rows[36], column[6];
      load<6>(images.at(n, channel), images.height, images.width, images.channels, top, left, pixels);
      for (int y = 0; y < 6; y++) transform_input(pixels + 6 * y, 1, rows + 6 * y);
      for (int x = 0; x < 6; x++) {
        transform_input(rows + x, 6, column);
        for (int y = 0; y < 6; y++) result.lanes(6 * y + x, tile - first, channel) = column[y];
      }
    }
  }
}

WIDEST void enter(const Images<float>& images, const Tiling& tiling, int64_t padding, int64_t first, int64_t from, int64_t to,
                  const Matrices& result) {
  enter_tiles(images, tiling, padding, first, from, to, result);
}
WIDEST void enter(const Images<uint16_t>& images, const Tiling& tiling, int64_t padding, int64_t first, int64_t from,
                  int64_t to, const Matrices& result) {
  enter_tiles(images, tiling, padding, first, from, to, result);
}

/// A g Aᵀ of the gradient's tiles [from, to).
template <typename Number>
INLINE void enter_gradient_tiles(const Images<Number>& images, const Tiling& tiling, int64_t first, int64_t from, int64_t to,
                           const Matrices& result) {
  for (int64_t tile = from; tile < to; tile++) {
    const int64_t n = tile / (tiling.rows * tiling.columns);
    const int64_t top = tile / tiling.columns % tiling.rows * 4, left = tile % tiling.columns * 4;
    for (int64_t channel = 0; channel < images.channels; channel += kLanes) {
      Lanes pixels[16], rows[24], column[6];
      load<4>(images.at(n, channel), images.height, images.width, images.channels, top, left, pixels);
      for (int y = 0; y < 4; y++) transform_gradient(pixels + 4 * y, 1, rows + 6 * y);
      for (int x = 0; x < 6; x++) {
        transform_gradient(rows + x, 6, column);
        for (int y = 0; y < 6; y++) result.lanes(6 * y + x, tile - first, channel) = column[y];
      }
    }
  }
}

WIDEST void enter_gradient(const Images<float>& images, const Tiling& tiling, int64_t first, int64_t from, int64_t to,
                           const Matrices& result) {
  enter_gradient_tiles(images, tiling, first, from, to, result);
}
WIDEST void enter_gradient(const Images<uint16_t>& images, const Tiling& tiling, int64_t first, int64_t from, int64_t to,
                           const Matrices& result) {
  enter_gradient_tiles(images, tiling, first, from, to, result);
}

/// Aᵀ m A: the pixels of the result's tiles [from, to).
WIDEST void leave(const Matrices& points, const Tiling& tiling, int64_t first, int64_t from, int64_t to,
                  const Images<float>& result) {
  for (int64_t tile = from; tile < to; tile++) {
    const int64_t n = tile / (tiling.rows * tiling.columns);
    const int64_t top = tile / tiling.columns % tiling.rows * 4, left = tile % tiling.columns * 4;
    const int64_t height = std::min<int64_t>(4, result.height - top), width = std::min<int64_t>(4, result.width - left);
    for (int64_t channel = 0; channel < result.channels; channel += kLanes) {
      Lanes values[6], column[4], rows[24], row[4];
      for (int x = 0; x < 6; x++) {
        for (int y = 0; y < 6; y++) values[y] = points.lanes(6 * y + x, tile - first, channel);
        transform_output(values, 1, column);
        for (int y = 0; y < 4; y++) rows[6 * y + x] = column[y];
      }
      float* pixels = result.at(n, channel) + (top * result.width + left) * result.channels;
      for (int y = 0; y < height; y++) {
        transform_output(rows + 6 * y, 1, row);
        for (int x = 0; x < width; x++) {
          *reinterpret_cast<Lanes*>(pixels + (y * result.width + x) * result.channels) = row[x];
        }
      }
    }
  }
}

/// Where the weight between an input and an output lies in [outputs, inputs, 3, 3].
struct Filters {
  float* data;
  int64_t inputs, outputs;
  explicit Filters(const at::Tensor& weight)
      : data(weight.data_ptr<float>()), inputs(weight.size(1)), outputs(weight.size(0)) {}
  INLINE float* at(int64_t output, int64_t input) const { return data + (output * inputs + input) * 9; }
};

/// G w Gᵀ to [input][output], for inputs [from, to).
WIDEST void enter_filters(const Filters& filters, int64_t from, int64_t to, const Matrices& result) {
  for (int64_t output = 0; output < filters.outputs; output += kLanes) {
    for (int64_t input = from; input < to; input++) {
      Lanes weights[9], rows[18], column[6];
      for (int64_t lane = 0; lane < kLanes; lane++) {
        const float* from_filter = filters.at(output + lane, input);
        for (int i = 0; i < 9; i++) weights[i][lane] = from_filter[i];
      }
      for (int y = 0; y < 3; y++) transform_filter(weights + 3 * y, 1, rows + 6 * y);
      for (int x = 0; x < 6; x++) {
        transform_filter(rows + x, 6, column);
        for (int y = 0; y < 6; y++) result.lanes(6 * y + x, input, output) = column[y];
      }
    }
  }
}

/// The same of filters turned by 180°, to [output][input], for outputs [from, to): the gradient of the images is the
/// convolution of the result's with them.
WIDEST void enter_turned_filters(const Filters& filters, int64_t from, int64_t to, const Matrices& result) {
  for (int64_t output = from; output < to; output++) {
    for (int64_t input = 0; input < filters.inputs; input += kLanes) {
      Lanes weights[9], rows[18], column[6];
      for (int64_t lane = 0; lane < kLanes; lane++) {
        const float* from_filter = filters.at(output, input + lane);
        for (int i = 0; i < 9; i++) weights[8 - i][lane] = from_filter[i];
      }
      for (int y = 0; y < 3; y++) transform_filter(weights + 3 * y, 1, rows + 6 * y);
      for (int x = 0; x < 6; x++) {
        transform_filter(rows + x, 6, column);
        for (int y = 0; y < 6; y++) result.lanes(6 * y + x, output, input) = column[y];
      }
    }
  }
}

/// Gᵀ u G of [input][output]: the gradients of the filters, for inputs [from, to).
WIDEST void leave_filters(const Matrices& points, int64_t from, int64_t to, const Filters& result) {
  for (int64_t output = 0; output < result.outputs; output += kLanes) {
    for (int64_t input = from; input < to; input++) {
      Lanes values[6], column[3], rows[18], weights[9];
      for (int x = 0; x < 6; x++) {
        for (int y = 0; y < 6; y++) values[y] = points.lanes(6 * y + x, input, output);
        transform_filter_gradient(values, 1, column);
        for (int y = 0; y < 3; y++) rows[6 * y + x] = column[y];
      }
      for (int y = 0; y < 3; y++) transform_filter_gradient(rows + 6 * y, 1, weights + 3 * y);
      for (int64_t lane = 0; lane < kLanes; lane++) {
        float* filter = result.at(output + lane, input);
        for (int i = 0; i < 9; i++) filter[i] = weights[i][lane];
      }
    }
  }
}

/// All 36 products result (+)= left · right of the first `rows` of result, each in parts where there are more threads.
void multiply_all(Threads& threads, bool turned, int64_t inner, const Matrices& left, const Matrices& right, bool add,
                  int64_t rows, const Matrices& result) {
  const int64_t parts = std::min((4 * at::get_num_threads() + kPoints - 1) / kPoints, (rows + 15) / 16);
  threads.share(kPoints * parts, [&](int64_t from, int64_t to) {
    for (int64_t task = from; task < to; task++) {
      const int64_t point = task / parts, part = task % parts;
      const int64_t first = part * rows / parts, last = (part + 1) * rows / parts;
      const float* rows_of_left = turned ? left.at(point, 0) + first : left.at(point, first);
      multiply(last - first, result.columns, inner, {rows_of_left, left.columns, turned},
               {right.at(point, 0), right.columns}, add, result.at(point, first), result.columns);
    }
  });
}

/// Tiles are taken in chunks whose points stay in cache from one step to the next, and are no fewer than half of the
/// filters' own, which each chunk reads anew.
struct Chunks {
  int64_t tiles, count;
  Chunks(int64_t tiles, int64_t inputs, int64_t outputs) : tiles(tiles) {
    const int64_t point = kPoints * sizeof(float), least = std::max(kChunkBytes, inputs * outputs * point / 2);
    count = std::clamp<int64_t>(tiles * (inputs + outputs) * point / least, 1, tiles);
  }
  int64_t first(int64_t chunk) const { return chunk * tiles / count; }
  int64_t largest() const { return (tiles + count - 1) / count; }
  /// body(first, tiles)
  template <typename Body>
  void each(const Body& body) const {
    for (int64_t chunk = 0; chunk < count; chunk++) body(first(chunk), first(chunk + 1) - first(chunk));
  }
};

template <typename Number>
void gradient_of_weight(const at::Tensor& images, const at::Tensor& gradient, int64_t padding, const at::Tensor& result) {
  const Images<Number> from(images), to(gradient);
  const Tiling tiling(gradient.size(0), to.height, to.width);
  const Chunks chunks(tiling.count(), from.channels, to.channels);
  Threads threads;
  Matrices factors(from.channels, to.channels), inner(chunks.largest(), from.channels), outer(chunks.largest(), to.channels);
  place({&factors, &inner, &outer});
  chunks.each([&](int64_t first, int64_t count) {
    threads.share(count, [&](int64_t begin, int64_t end) {
      enter(from, tiling, padding, first, first + begin, first + end, inner);
      enter_gradient(to, tiling, first, first + begin, first + end, outer);
    });
    multiply_all(threads, true, count, inner, outer, first > 0, from.channels, factors);
  });
  threads.share(from.channels, [&](int64_t begin, int64_t end) { leave_filters(factors, begin, end, Filters(result)); });
}

}  // namespace

namespace winograd {

void convolve(const at::Tensor& images, const at::Tensor& weight, int64_t padding, bool turned, const at::Tensor& result) {
  const Images<float> from(images), to(result);
  const Filters filters(weight);
  const Tiling tiling(result.size(0), to.height, to.width);
  const Chunks chunks(tiling.count(), from.channels, to.channels);
  Threads threads;
  Matrices factors(from.channels, to.channels), inner(chunks.largest(), from.channels), outer(chunks.largest(), to.channels);
  place({&factors, &inner, &outer});
  threads.share(from.channels, [&](int64_t begin, int64_t end) {
    turned ? enter_turned_filters(filters, begin, end, factors) : enter_filters(filters, begin, end, factors);
  });
  chunks.each([&](int64_t first, int64_t count) {
    threads.share(count, [&](int64_t begin, int64_t end) {
      enter(from, tiling, padding, first, first + begin, first + end, inner);
    });
    multiply_all(threads, false, from.channels, inner, factors, false, count, outer);
    threads.share(count, [&](int64_t begin, int64_t end) {
      leave(outer, tiling, first, first + begin, first + end, to);
    });
  });
}

void weight_gradient(const at::Tensor& images, const at::Tensor& gradient, int64_t padding, const at::Tensor& result) {
  images.scalar_type() == at::kBFloat16 ? gradient_of_weight<uint16_t>(images, gradient, padding, result)
                                        : gradient_of_weight<float>(images, gradient, padding, result);
}

}  // namespace winograd
}  // namespace carryover
