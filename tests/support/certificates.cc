#include "tests/support/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <stdexcept>

namespace timectl::testing {
namespace {

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(std::string("test certificate: ") + what);
}

TestCertificate unsigned_certificate(const std::string& name, const CertificateWish& wish) {
  TestCertificate made{{X509_new(), X509_free}, {EVP_EC_gen("P-256"), EVP_PKEY_free}};
  auto* x = made.certificate.get();
  require(x != nullptr && made.key != nullptr, "no memory");
  static long serial = 0;
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x), std::chrono::seconds(wish.valid_from).count());
  X509_gmtime_adj(X509_getm_notAfter(x), std::chrono::seconds(wish.valid_to).count());
  X509_set_pubkey(x, made.key.get());
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, text, -1, -1, 0);
  return made;
}

void extend(const TestCertificate& made, int nid, const std::string& value) {
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()), X509_EXTENSION_free);
  require(extension != nullptr, value.c_str());
  X509_add_ext(made.certificate.get(), extension.get(), -1);
}

TestCertificate leaf(const CertificateWish& wish) {
  auto made = unsigned_certificate("timectl test", wish);
  std::string alternatives;
  for (const auto& one : wish.alternatives) alternatives += (alternatives.empty() ? "" : ",") + one;
  if (!alternatives.empty()) extend(made, NID_subject_alt_name, alternatives);
  return made;
}

void sign(const TestCertificate& made, const TestCertificate& by) {
  X509_set_issuer_name(made.certificate.get(), X509_get_subject_name(by.certificate.get()));
  require(X509_sign(made.certificate.get(), by.key.get(), EVP_sha256()) != 0, "not signed");
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name) : root_(unsigned_certificate(name, {})) {
  extend(root_, NID_basic_constraints, "critical,CA:TRUE");
  extend(root_, NID_key_usage, "critical,keyCertSign,cRLSign");
  sign(root_, root_);
  const int fd = ::memfd_create("timectl-test-root", MFD_CLOEXEC);
  require(fd >= 0, "no file");
  memory_ = std::shared_ptr<const void>(&root_, [fd](const void*) { ::close(fd); });
  file_ = "/proc/self/fd/" + std::to_string(fd);
  std::FILE* out = std::fopen(file_.c_str(), "w");
  require(out != nullptr && PEM_write_X509(out, root_.certificate.get()) == 1, "not written");
  std::fclose(out);
}

std::string TestAuthority::file_name_in_store() const {
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "%08lx.0",
                X509_subject_name_hash(root_.certificate.get()));
  return name.data();
}

TestCertificate TestAuthority::issue(const CertificateWish& wish) const {
  auto made = leaf(wish);
  sign(made, root_);
  return made;
}

TestCertificate TestAuthority::self_signed(const CertificateWish& wish) {
  auto made = leaf(wish);
  sign(made, made);
  return made;
}

}  // namespace timectl::testing
