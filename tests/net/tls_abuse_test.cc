// A stranger that abuses TLS itself: what OpenSSL does on its own must not cost us our one thread.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <future>
#include <memory>

#include "daemon/net/tcp.h"
#include "tests/net/world.h"

namespace timectl::net {
namespace {

struct Freed {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// A blocking client on a thread of its own: OpenSSL as an attacker would use it.
struct Abuse {
  const char* groups = "X25519";
  int new_keys = 0;  // between our Handshake and our Ping
};

// The bytes that came back before the end, or before a pong could have come; -1: no TLS.
long abuse(const Abuse& how, Endpoint node) {
  const Attempt attempt = dial(node, peer_ip);
  const int fd = attempt.fd.get();
  pollfd connecting{fd, POLLOUT, 0};
  const timeval patience{5, 0};
  if (::poll(&connecting, 1, 5000) != 1 || ::fcntl(fd, F_SETFL, 0) != 0 ||
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0) {
    return -1;
  }
  const std::unique_ptr<SSL_CTX, Freed> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set1_groups_list(context.get(), how.groups);
  const std::unique_ptr<SSL, Freed> ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), fd);
  if (SSL_connect(ssl.get()) != 1) return -1;
  wire::msg::Handshake hello;
  hello.magic = wire::params_of(wire::Network::testnet).magic;
  hello.protocol_version = wire::protocol_version;
  hello.network = "testnet";
  hello.commit_count = 2344;
  const auto first = test::frame_of(hello);
  if (SSL_write(ssl.get(), first.data(), static_cast<int>(first.size())) <= 0) return 0;
  for (int i = 0; i < how.new_keys; ++i) {
    if (SSL_key_update(ssl.get(), SSL_KEY_UPDATE_NOT_REQUESTED) != 1) return 0;
    if (SSL_do_handshake(ssl.get()) != 1) return 0;
  }
  const auto ping = test::frame_of(wire::msg::Ping{});
  if (SSL_write(ssl.get(), ping.data(), static_cast<int>(ping.size())) <= 0) return 0;
  long received = 0;
  std::uint8_t byte = 0;
  while (SSL_read(ssl.get(), &byte, 1) == 1) ++received;
  return received;
}

class TlsAbuseTest : public testing::Test {
 protected:
  void start(const Abuse& how) {
    world.start(0, {});
    client = std::async(std::launch::async, abuse, how, Endpoint{node_ip, world.network->port()});
  }
  World world;
  std::future<long> client;
};

// The frame behind the new keys is in the socket already when they are worked off one by one.
TEST_F(TlsAbuseTest, AFrameBehindNewKeysIsRead) {
  start({.new_keys = 20});
  ASSERT_TRUE(world.until([&] { return world.connected(); }));
  ASSERT_TRUE(world.until([&] {
    const auto peer = world.node->peer(peer_ip, real_now());
    return peer && peer->bytes_in >= test::frame_of(wire::msg::Ping{}).size();
  }));
  EXPECT_TRUE(world.connected());
  EXPECT_TRUE(world.stop());
  EXPECT_GT(client.get(), 0);
}

TEST_F(TlsAbuseTest, AFloodOfNewKeysEndsTheConnection) {
  start({.new_keys = 2000});
  const auto end = world.ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::protocol_error);
  EXPECT_NE(end->detail.find("handshake messages"), std::string::npos) << end->detail;
  EXPECT_TRUE(world.until([&] { return world.network->connections() == 0; }));
  (void)client.get();
}

TEST_F(TlsAbuseTest, ACostlyGroupIsNotOnOffer) {
  start({.groups = "ffdhe8192"});
  const auto end = world.ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::tls_failed);
  EXPECT_EQ(client.get(), -1);
}

// Nine bytes that announce a ClientHello of 128 KiB: OpenSSL would reserve all of it at once.
TEST(TlsAbuseHelloTest, AGiantClientHelloIsRefusedByItsFirstBytes) {
  Policy policy = fast_policy();
  policy.transport.accept_timeout = std::chrono::seconds(20);
  World world(policy);
  world.start(0, {});
  const Attempt attempt = dial({node_ip, world.network->port()}, peer_ip);
  ASSERT_TRUE(world.until([&] { return world.network->connections() == 1; }));
  constexpr std::array<std::uint8_t, 9> hello{0x16, 3, 1, 0, 4, 1, 1, 0xff, 0xb8};
  ASSERT_EQ(::send(attempt.fd.get(), hello.data(), 1, 0), 1);
  for (int turn = 0; turn < 5; ++turn) (void)world.io.run_one_for(std::chrono::milliseconds(5));
  ASSERT_EQ(::send(attempt.fd.get(), hello.data() + 1, 8, 0), 8);
  const auto end = world.ending();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, EndReason::tls_failed);
  EXPECT_NE(end->detail.find("ClientHello of 131000 bytes"), std::string::npos) << end->detail;
}

}  // namespace
}  // namespace timectl::net
