#include "daemon/wire/hash.h"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace timectl::wire {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeDigest {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};

// A digest looked up once: OpenSSL 3 otherwise searches its providers for every small input. The
// context is per thread because hashing reuses it.
template <std::size_t N>
std::array<std::uint8_t, N> digest(const EVP_MD* kind, std::span<const std::uint8_t> data) {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  std::array<std::uint8_t, N> out{};
  if (!context || kind == nullptr || EVP_DigestInit_ex2(context.get(), kind, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), data.data(), data.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), out.data(), nullptr) != 1) {
    throw std::runtime_error("libcrypto cannot compute a SHA-2 digest");
  }
  return out;
}

}  // namespace

Hash32 sha256(std::span<const std::uint8_t> data) {
  static const std::unique_ptr<EVP_MD, FreeDigest> kind(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  return digest<32>(kind.get(), data);
}

Hash32 sha256(std::string_view text) {
  return sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

Hash64 sha512(std::span<const std::uint8_t> data) {
  static const std::unique_ptr<EVP_MD, FreeDigest> kind(EVP_MD_fetch(nullptr, "SHA512", nullptr));
  return digest<64>(kind.get(), data);
}

}  // namespace timectl::wire
