// Off the loopback the server speaks TLS only.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cstdio>

#include "tests/control/lab.h"
#include "tests/support/certificates.h"
#include "tests/web/web_lab.h"

namespace timectl::web {
namespace {

struct TlsServer : ::testing::Test {
  void SetUp() override {
    const auto made =
        timectl::testing::TestAuthority::self_signed({.alternatives = {"IP:127.0.0.1"}});
    write(certificate,
          [&](std::FILE* file) { return PEM_write_X509(file, made.certificate.get()); });
    write(key, [&](std::FILE* file) {
      return PEM_write_PrivateKey(file, made.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  template <class Put>
  static void write(const std::string& path, Put put) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(put(file), 1);
    (void)std::fclose(file);
  }
  [[nodiscard]] Listen where() const { return {.certificate = certificate, .key = key}; }

  test::TempDir directory;
  std::string certificate = directory / "certificate.pem";
  std::string key = directory / "key.pem";
};

struct TlsClient {
  TlsClient(std::uint16_t port, int newest) : raw(port) {
    SSL_set_min_proto_version(ssl.get(), TLS1_VERSION);
    SSL_set_max_proto_version(ssl.get(), newest);
    SSL_set_security_level(ssl.get(), 0);  // TLS 1.1 is refused by the server, not by us
    SSL_set_fd(ssl.get(), raw.descriptor());
  }
  std::string ask(const std::string& request) {
    if (SSL_connect(ssl.get()) != 1) return "no handshake";
    (void)SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
    std::string text;
    char buffer[4096];
    for (int size = 0; (size = SSL_read(ssl.get(), buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(size));
    }
    return text;
  }
  RawClient raw;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{SSL_CTX_new(TLS_client_method()),
                                                       SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> ssl{SSL_new(context.get()), SSL_free};
};

TEST_F(TlsServer, ServesOverTls12AndNewerOnly) {
  const Running running({}, where());
  const auto request =
      "GET /?token=" + kToken + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    TlsClient client(running.port, version);
    const auto answer = client.ask(request);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 303 ")) << answer;
    EXPECT_NE(answer.find("; Secure\r\n"), std::string::npos);
  }
  TlsClient old(running.port, TLS1_1_VERSION);
  EXPECT_EQ(old.ask(request), "no handshake");
}

TEST_F(TlsServer, AnswersNothingToPlainHttp) {
  const Running running({}, where());
  RawClient plain(running.port);
  plain.get("/");
  ASSERT_TRUE(plain.read_to_end());
  EXPECT_EQ(plain.status(), 0U);
}

TEST_F(TlsServer, AClientThatNeverShakesHandsIsClosed) {
  Limits limits;
  limits.tick = std::chrono::milliseconds(10);
  limits.head = std::chrono::milliseconds(50);
  const Running running({.limits = limits}, where());
  RawClient silent(running.port);
  EXPECT_TRUE(silent.read_to_end());
}

TEST_F(TlsServer, FilesThatCannotBeUsedAreNamed) {
  Server server({.token = kToken});
  auto missing = where();
  missing.certificate = directory / "missing.pem";
  const auto bound = server.listen(missing);
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().message.find("missing.pem"), std::string::npos);

  const auto other = timectl::testing::TestAuthority::self_signed({});
  write(directory / "other.pem", [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, other.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  auto mixed = where();
  mixed.key = directory / "other.pem";
  EXPECT_FALSE(server.listen(mixed));
  EXPECT_TRUE(server.listen(where()));
}

}  // namespace
}  // namespace timectl::web
