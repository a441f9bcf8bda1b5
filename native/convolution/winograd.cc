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

// Polynomials are interpolated at 0, ±a, ±b and infinity.
constexpr float a = 0.625f, b = 1.5f, aa = a * a, bb = b * b;
constexpr float kOrigin = 1 / (aa * bb), kNear = 1 / (2 * aa * (aa - bb)), kFar = 1 / (2 * bb * (bb - aa));

// One dimension of each transform, from `stride`d vectors.

/// The points ±a and ±b, of what is the same and what is opposite at the two of a pair.
INLINE void put_pairs(const Lanes& even_a, const Lanes& odd_a, const Lanes& even_b, const Lanes& odd_b, Lanes* out) {
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
}

/// Bᵀ d: of six pixels, to six points.
INLINE void transform_input(const Lanes* d, int stride, Lanes* out) {
  const Lanes d0 = d[0], d1 = d[stride], d2 = d[2 * stride], d3 = d[3 * stride], d4 = d[4 * stride], d5 = d[5 * stride];
  const Lanes even_a = d4 - bb * d2, odd_a = a * (d3 - bb * d1), even_b = d4 - aa * d2, odd_b = b * (d3 - aa * d1);
  out[0] = aa * bb * d0 - (aa + bb) * d2 + d4;
  put_pairs(even_a, odd_a, even_b, odd_b, out);
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
  put_pairs(even_a, odd_a, even_b, odd_b, out);
  out[5] = g3;
}

/// G w: of three weights, to six points.
INLINE void transform_filter(const Lanes* w, int stride, Lanes* out) {
  const Lanes w0 = w[0], w1 = w[stride], w2 = w[2 * stride];
  const Lanes even_a = kNear * (w0 + aa * w2), odd_a = kNear * a * w1, even_b = kFar * (w0 + bb * w2), odd_b = kFar * b * w1;
  out[0] = kOrigin * w0;
  put_pairs(even_a, odd_a, even_b, odd_b, out);
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
  int64_t batch, rows, columns;
  Tiling(int64_t batch, int64_t height, int64_t width) : batch(batch), rows((height + 3) / 4), columns((width + 3) / 4) {}
  int64_t count() const { return batch * rows * columns; }
  int64_t image(int64_t tile) const { return tile / (rows * columns); }
  int64_t top(int64_t tile) const { return tile / columns % rows * 4; }
  int64_t left(int64_t tile) const { return tile % columns * 4; }
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
    return carryover::lanes(at(point, row) + column);
  }
};

using Transform = void(const Lanes*, int, Lanes*);

/// The transform of `size` × `size` vectors in both dimensions, to the 36 points.
template <Transform transform, int size>
INLINE void spread(const Lanes* values, const Matrices& points, int64_t row, int64_t column) {
  Lanes rows[6 * size], six[6];
  for (int y = 0; y < size; y++) transform(values + size * y, 1, rows + 6 * y);
  for (int x = 0; x < 6; x++) {
    transform(rows + x, 6, six);
    for (int y = 0; y < 6; y++) points.lanes(6 * y + x, row, column) = six[y];
  }
}

/// The transform of the 36 points in both dimensions, to `size` × `size` vectors.
template <Transform transform, int size>
INLINE void gather(const Matrices& points, int64_t row, int64_t column, Lanes* values) {
  Lanes rows[6 * size], six[6], some[size];
  for (int x = 0; x < 6; x++) {
    for (int y = 0; y < 6; y++) six[y] = points.lanes(6 * y + x, row, column);
    transform(six, 1, some);
    for (int y = 0; y < size; y++) rows[6 * y + x] = some[y];
  }
  for (int y = 0; y < size; y++) transform(rows + 6 * y, 1, values + size * y);
}

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

/// The points of tiles [from, to) of `size` × `size` pixels, to the rows from `from - first` on.
template <Transform transform, int size, typename Number>
INLINE void enter_tiles(const Images<Number>& images, const Tiling& tiling, int64_t padding, int64_t first, int64_t from,
                        int64_t to, const Matrices& points) {
  for (int64_t tile = from; tile < to; tile++) {
    const int64_t top = tiling.top(tile) - padding, left = tiling.left(tile) - padding;
    for (int64_t channel = 0; channel < images.channels; channel += kLanes) {
      Lanes pixels[size * size];
      const Number* image = images.at(tiling.image(tile), channel);
      load<size>(image, images.height, images.width, images.channels, top, left, pixels);
      spread<transform, size>(pixels, points, tile - first, channel);
    }
  }
}

/// Bᵀ d B.
WIDEST void enter(const Images<float>& images, const Tiling& tiling, int64_t padding, int64_t first, int64_t from, int64_t to,
                  const Matrices& points) {
  enter_tiles<transform_input, 6>(images, tiling, padding, first, from, to, points);
}
WIDEST void enter(const Images<uint16_t>& images, const Tiling& tiling, int64_t padding, int64_t first, int64_t from,
                  int64_t to, const Matrices& points) {
  enter_tiles<transform_input, 6>(images, tiling, padding, first, from, to, points);
}

/// A g Aᵀ, of the result's gradient.
WIDEST void enter_gradient(const Images<float>& images, const Tiling& tiling, int64_t first, int64_t from, int64_t to,
                           const Matrices& points) {
  enter_tiles<transform_gradient, 4>(images, tiling, 0, first, from, to, points);
}
WIDEST void enter_gradient(const Images<uint16_t>& images, const Tiling& tiling, int64_t first, int64_t from, int64_t to,
                           const Matrices& points) {
  enter_tiles<transform_gradient, 4>(images, tiling, 0, first, from, to, points);
}

/// Aᵀ m A: the pixels of the result's tiles [from, to).
WIDEST void leave(const Matrices& points, const Tiling& tiling, int64_t first, int64_t from, int64_t to,
                  const Images<float>& result) {
  for (int64_t tile = from; tile < to; tile++) {
    const int64_t top = tiling.top(tile), left = tiling.left(tile);
    const int64_t height = std::min<int64_t>(4, result.height - top), width = std::min<int64_t>(4, result.width - left);
    for (int64_t channel = 0; channel < result.channels; channel += kLanes) {
      Lanes pixels[16];
      gather<transform_output, 4>(points, tile - first, channel, pixels);
      float* corner = result.at(tiling.image(tile), channel) + (top * result.width + left) * result.channels;
      for (int64_t y = 0; y < height; y++) {
        for (int64_t x = 0; x < width; x++) write(pixels[4 * y + x], corner + (y * result.width + x) * result.channels);
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
WIDEST void enter_filters(const Filters& filters, int64_t from, int64_t to, const Matrices& points) {
  for (int64_t output = 0; output < filters.outputs; output += kLanes) {
    for (int64_t input = from; input < to; input++) {
      Lanes weights[9];
      for (int64_t lane = 0; lane < kLanes; lane++) {
        const float* filter = filters.at(output + lane, input);
        for (int i = 0; i < 9; i++) weights[i][lane] = filter[i];
      }
      spread<transform_filter, 3>(weights, points, input, output);
    }
  }
}

/// The same of filters turned by 180°, to [output][input], for outputs [from, to): the gradient of the images is the
/// convolution of the result's with them.
WIDEST void enter_turned_filters(const Filters& filters, int64_t from, int64_t to, const Matrices& points) {
  for (int64_t output = from; output < to; output++) {
    for (int64_t input = 0; input < filters.inputs; input += kLanes) {
      Lanes weights[9];
      for (int64_t lane = 0; lane < kLanes; lane++) {
        const float* filter = filters.at(output, input + lane);
        for (int i = 0; i < 9; i++) weights[8 - i][lane] = filter[i];
      }
      spread<transform_filter, 3>(weights, points, output, input);
    }
  }
}

/// Gᵀ u G of [input][output]: the gradients of the filters, for inputs [from, to).
WIDEST void leave_filters(const Matrices& points, int64_t from, int64_t to, const Filters& result) {
  for (int64_t output = 0; output < result.outputs; output += kLanes) {
    for (int64_t input = from; input < to; input++) {
      Lanes weights[9];
      gather<transform_filter_gradient, 3>(points, input, output, weights);
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
