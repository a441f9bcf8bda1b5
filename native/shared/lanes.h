// Vectors of sixteen float32, from and to float32 or bfloat16. Channels-last images have sixteen channels of one pixel
// in each.
#pragma once

#include <cstdint>

// One build of a function for every processor: the widest that it has is chosen when the addon is loaded.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define WIDEST __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define WIDEST
#endif
#define INLINE inline __attribute__((always_inline))

namespace carryover {

constexpr int64_t kLanes = 16;

typedef float Lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint32_t Bits __attribute__((vector_size(64)));
typedef uint16_t Halves __attribute__((vector_size(32), aligned(2), may_alias));

INLINE Lanes& lanes(float* from) { return *reinterpret_cast<Lanes*>(from); }
INLINE const Lanes& lanes(const float* from) { return *reinterpret_cast<const Lanes*>(from); }

INLINE void read(const float* from, Lanes& to) { to = lanes(from); }

/// bfloat16 is the upper half of a float32.
INLINE void read(const uint16_t* from, Lanes& to) {
  to = (Lanes)(__builtin_convertvector(*reinterpret_cast<const Halves*>(from), Bits) << 16);
}

INLINE void write(const Lanes& from, float* to) { lanes(to) = from; }

/// To the nearest, ties to even. NaN stays NaN, unless it has all of its lower bits set, as arithmetic never leaves it.
INLINE void write(const Lanes& from, uint16_t* to) {
  const Bits bits = (Bits)from;
  *reinterpret_cast<Halves*>(to) = __builtin_convertvector((bits + 0x7fff + ((bits >> 16) & 1)) >> 16, Halves);
}

}  // namespace carryover
