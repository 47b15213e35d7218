#include "daemon/sinks/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <span>

#include "daemon/core/hex.h"

namespace timectl::sinks {

std::string hmac_sha256(std::string_view secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const auto* made = ::HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                            reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                            digest.data(), &size);
  TIMECTL_CHECK(made != nullptr);
  return hex_text(std::span(digest).first(size));
}

std::string signature(std::string_view secret, std::string_view body, WallTime sent_at) {
  const auto at =
      std::to_string(std::chrono::floor<std::chrono::seconds>(sent_at).time_since_epoch().count());
  return "t=" + at + ",v1=" + hmac_sha256(secret, at + "." + std::string(body));
}

}  // namespace timectl::sinks
