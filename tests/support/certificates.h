#pragma once
// A certificate authority of a test's own, made at run time: good certificates and each kind of bad
// one that a client must refuse. Keys are P-256, which take no time to make.

#include <openssl/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace timectl::testing {

struct TestCertificate {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
};

struct CertificateWish {
  std::vector<std::string> alternatives = {};  // "DNS:lists.test", "IP:127.0.0.5"
  std::chrono::hours valid_from{-24};          // from now
  std::chrono::hours valid_to{24};
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);

  [[nodiscard]] TestCertificate issue(const CertificateWish& wish) const;
  // Signed by itself.
  [[nodiscard]] static TestCertificate self_signed(const CertificateWish& wish);
  // The root's certificate as a PEM file for this process, in memory: a test that ends at once
  // leaves nothing behind.
  [[nodiscard]] const std::string& file() const { return file_; }
  // The name under which OpenSSL looks for it in a folder of certificates: "1a2b3c4d.0".
  [[nodiscard]] std::string file_name_in_store() const;

 private:
  TestCertificate root_;
  std::shared_ptr<const void> memory_;  // closes it
  std::string file_;
};

}  // namespace timectl::testing
