#include "daemon/wire/ed25519.h"

#include <openssl/evp.h>

#include <cstring>
#include <memory>

namespace timectl::wire {
namespace {

__extension__ typedef unsigned __int128 Wide;

// An element of the field modulo p = 2^255 - 19: five limbs of 51 bits, each possibly a little
// over.
using Element = std::array<std::uint64_t, 5>;

constexpr std::uint64_t mask = (std::uint64_t{1} << 51) - 1;

Element multiply(const Element& a, const Element& b) {
  // 2^255 = 19: what overflows the top limb comes back times 19.
  const std::uint64_t b1 = b[1] * 19;
  const std::uint64_t b2 = b[2] * 19;
  const std::uint64_t b3 = b[3] * 19;
  const std::uint64_t b4 = b[4] * 19;
  const auto product = [](std::uint64_t x, std::uint64_t y) { return static_cast<Wide>(x) * y; };
  std::array<Wide, 5> sum{product(a[0], b[0]) + product(a[1], b4) + product(a[2], b3) +
                              product(a[3], b2) + product(a[4], b1),
                          product(a[0], b[1]) + product(a[1], b[0]) + product(a[2], b4) +
                              product(a[3], b3) + product(a[4], b2),
                          product(a[0], b[2]) + product(a[1], b[1]) + product(a[2], b[0]) +
                              product(a[3], b4) + product(a[4], b3),
                          product(a[0], b[3]) + product(a[1], b[2]) + product(a[2], b[1]) +
                              product(a[3], b[0]) + product(a[4], b4),
                          product(a[0], b[4]) + product(a[1], b[3]) + product(a[2], b[2]) +
                              product(a[3], b[1]) + product(a[4], b[0])};
  Element result{};
  Wide carry = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const Wide limb = sum[i] + carry;
    result[i] = static_cast<std::uint64_t>(limb) & mask;
    carry = limb >> 51;
  }
  result[0] += static_cast<std::uint64_t>(carry) * 19;
  result[1] += result[0] >> 51;
  result[0] &= mask;
  return result;
}

Element square_times(Element value, int times) {
  for (int i = 0; i < times; ++i) value = multiply(value, value);
  return value;
}

// 0 <= result < p, so that equal elements have equal limbs.
Element canonical(Element value) {
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < 4; ++i) {
      value[i + 1] += value[i] >> 51;
      value[i] &= mask;
    }
    value[0] += (value[4] >> 51) * 19;
    value[4] &= mask;
  }
  const bool at_least_p = value[0] >= mask - 18 && value[1] == mask && value[2] == mask &&
                          value[3] == mask && value[4] == mask;
  if (at_least_p) value = {value[0] - (mask - 18), 0, 0, 0, 0};
  return value;
}

Element load(const Hash32& bytes) {
  std::array<std::uint64_t, 4> words{};
  std::memcpy(words.data(), bytes.data(), 32);
  return {words[0] & mask, (words[0] >> 51 | words[1] << 13) & mask,
          (words[1] >> 38 | words[2] << 26) & mask, (words[2] >> 25 | words[3] << 39) & mask,
          words[3] >> 12 & mask};  // the sign bit falls off
}

// value^(2^252 - 3) by the usual addition chain, then to (p - 1) / 2 = 4 * (2^252 - 3) + 2.
Element legendre(const Element& value) {
  const Element v2 = square_times(value, 1);
  const Element v9 = multiply(square_times(v2, 2), value);
  const Element v11 = multiply(v9, v2);
  const Element v31 = multiply(square_times(v11, 1), v9);        // 2^5 - 1
  const Element v10 = multiply(square_times(v31, 5), v31);       // 2^10 - 1
  const Element v20 = multiply(square_times(v10, 10), v10);      // 2^20 - 1
  const Element v40 = multiply(square_times(v20, 20), v20);      // 2^40 - 1
  const Element v50 = multiply(square_times(v40, 10), v10);      // 2^50 - 1
  const Element v100 = multiply(square_times(v50, 50), v50);     // 2^100 - 1
  const Element v200 = multiply(square_times(v100, 100), v100);  // 2^200 - 1
  const Element v250 = multiply(square_times(v200, 50), v50);    // 2^250 - 1
  const Element v252 = multiply(square_times(v250, 2), value);   // 2^252 - 3
  return multiply(square_times(v252, 2), v2);
}

// d of the curve -x^2 + y^2 = 1 + d x^2 y^2.
constexpr Hash32 curve_d{0xa3, 0x78, 0x59, 0x13, 0xca, 0x4d, 0xeb, 0x75, 0xab, 0xd8, 0x41,
                         0x41, 0x4d, 0x0a, 0x70, 0x00, 0x98, 0xe8, 0x79, 0x77, 0x79, 0x40,
                         0xc7, 0x8c, 0x73, 0xfe, 0x6f, 0x2b, 0xee, 0x6c, 0x03, 0x52};

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

bool decompresses(const Hash32& key) {
  const Element y = load(key);
  const Element y2 = multiply(y, y);
  Element u = canonical(y2);  // y^2 - 1, kept positive by adding p
  u[0] += mask - 18 - 1;
  for (std::size_t i = 1; i < 5; ++i) u[i] += mask;
  Element v = multiply(y2, load(curve_d));
  v[0] += 1;
  // u / v is a square iff u * v is; v is never zero, because -1/d is no square.
  const Element symbol = canonical(legendre(multiply(u, v)));
  const Element zero{};
  const Element one{1, 0, 0, 0, 0};
  return symbol == zero || symbol == one;
}

bool verify_signature(const Hash32& key, Bytes message, Bytes signature) {
  if (signature.size() != 64) return false;
  const std::unique_ptr<EVP_PKEY, FreeKey> public_key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  if (!public_key || !context) return false;
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, public_key.get()) != 1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

}  // namespace timectl::wire
