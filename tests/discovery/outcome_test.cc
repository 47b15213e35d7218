// Where a fetch ends and how it is told: TLS, names and proxies (faults FT-A7, scenario T54).
#include "daemon/discovery/outcome.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/discovery/fetch_lab.h"

namespace timectl::discovery {
namespace {

using namespace std::chrono_literals;

using OutcomeTest = FetchTest;

const std::string kList = R"(["9.9.9.9"])";

ServerWish server_with(const testing::TestCertificate& certificate) {
  return {"127.0.0.5", certificate, 0};
}

TEST_F(OutcomeTest, BadCertificatesAreNamed) {
  using std::chrono::hours;
  const std::vector<std::string> names{"IP:127.0.0.5"};
  const TestAuthority stranger("somebody else's root");
  struct Row {
    testing::TestCertificate certificate;
    const char* part;
  };
  const Row rows[] = {
      {authority().issue({names, hours(-48), hours(-24)}),
       "the certificate of 127.0.0.5 has expired"},
      {authority().issue({names, hours(24), hours(48)}), "not valid yet"},
      {authority().issue({{"IP:127.0.0.6", "DNS:other.test"}}), "not one for 127.0.0.5"},
      {authority().issue({}), "not one for 127.0.0.5"},
      {TestAuthority::self_signed({names}), "signed by itself"},
      {stranger.issue({names}), "somebody we do not trust"},
  };
  for (const auto& row : rows) {
    HttpsServer server(server_with(row.certificate), always(list_answer(kList)));
    const auto failure = failed(request(server.url()));
    expect_failure(failure, FetchStep::tls, row.part);
    EXPECT_EQ(failure.address, server.endpoint());
    EXPECT_TRUE(server.requests().empty()) << "nothing was asked";
  }
}

TEST_F(OutcomeTest, OnlyTheCaFileIsTrustedWhereOneIsGiven) {
  HttpsServer server(good_server(), always(list_answer(kList)));
  auto wish = request(server.url());
  wish.ca_file = "";  // the system's: our root is not among them
  EXPECT_EQ(failed(wish).step, FetchStep::tls);
  wish.ca_file = "/nonexistent/ca.pem";
  expect_failure(failed(wish), FetchStep::tls, "/nonexistent/ca.pem");
}

TEST_F(OutcomeTest, OldTlsAndNoTlsAreRefused) {
  auto old = good_server();
  old.newest_tls = TLS1_1_VERSION;
  HttpsServer ancient(old, always(list_answer(kList)));
  EXPECT_EQ(failed(request(ancient.url())).step, FetchStep::tls);
  old.newest_tls = TLS1_2_VERSION;  // the same server, one version later
  HttpsServer enough(old, always(list_answer(kList)));
  EXPECT_EQ(fetched(request(enough.url())).body, kList);
  HttpsServer plain(
      {}, [](ServerConnection& connection) { connection.send(answer("400 Bad Request", "", "")); });
  expect_failure(failed(request(plain.url())), FetchStep::tls, "plain HTTP");
  HttpsServer mute({}, [](ServerConnection& connection) { connection.wait(); });
  auto wish = request(mute.url());
  wish.timeout = 200ms;
  expect_failure(failed(wish), FetchStep::timeout, "it ended while in the TLS handshake");
}

TEST_F(OutcomeTest, AddressesOfOurOwnNetworkAreNotAsked) {
  auto local = good_server();
  local.address = "127.0.0.1";
  HttpsServer server(local, always(list_answer(kList)));
  auto wish = request("https://localhost:" + std::to_string(server.port()) + "/list");
  EXPECT_EQ(fetched(wish).body, kList);
  const auto asked = server.connections();
  wish.allow_private = false;
  expect_failure(failed(wish), FetchStep::dns, "a loopback address: nothing was sent");
  wish.url = server.url();
  expect_failure(failed(wish), FetchStep::dns, "127.0.0.1, a loopback address");
  EXPECT_EQ(server.connections(), asked) << "not even a connection";
  for (const char* host :
       {"0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "[::]", "[ff02::1]"}) {
    wish.url = "https://" + std::string(host) + "/";
    wish.allow_private = true;
    expect_failure(failed(wish), FetchStep::dns, "nothing was sent");
  }
  for (const char* host :
       {"10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "[fd00::1]", "0x7f.1", "2130706433"}) {
    wish.url = "https://" + std::string(host) + "/";
    wish.allow_private = false;
    expect_failure(failed(wish), FetchStep::dns, "nothing was sent");
  }
}

// A proxy whose answers the test writes; `server` is where its tunnels lead.
HttpsServer::Script proxy_to(const HttpsServer& server) {
  return [&server](ServerConnection& connection) {
    if (connection.read_request().empty()) return;
    connection.send("HTTP/1.1 200 Connection established\r\n\r\n");
    connection.relay("127.0.0.5", server.port());
  };
}

TEST_F(OutcomeTest, ProxyOfTheEnvironmentIsUsed) {
  HttpsServer server(good_server(), once(list_answer(kList)));
  HttpsServer proxy({"127.0.0.7", {}, 0}, proxy_to(server));
  ::setenv("https_proxy", ("http://" + proxy.endpoint()).c_str(), 1);
  auto wish = request(server.url());
  // The proxy is where the operator put it, and behind it no address is ours to judge.
  wish.allow_private = false;
  const auto got = fetched(wish);
  EXPECT_EQ(got.body, kList);
  EXPECT_EQ(got.address, proxy.endpoint());
  ASSERT_EQ(proxy.requests().size(), 1U);
  EXPECT_TRUE(proxy.requests()[0].starts_with("CONNECT " + server.endpoint() + " "));
  ::setenv("no_proxy", "127.0.0.0/8", 1);
  wish.allow_private = true;
  EXPECT_EQ(fetched(wish).address, server.endpoint());
  EXPECT_EQ(proxy.requests().size(), 1U);
}

TEST_F(OutcomeTest, FailuresOfTheProxyAreTheProxys) {
  HttpsServer server(good_server(), once(list_answer(kList)));
  const auto wish = request(server.url());
  const auto through = [&](const HttpsServer& proxy) {
    ::setenv("https_proxy", ("http://user:secret@" + proxy.endpoint()).c_str(), 1);
    auto failure = failed(wish);
    EXPECT_EQ(failure.address, proxy.endpoint());
    EXPECT_EQ(failure.message.find("secret"), std::string::npos) << failure.message;
    return failure;
  };
  const ServerWish plain{"127.0.0.7", {}, 0};
  HttpsServer locked(
      plain, once("HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"));
  expect_failure(through(locked), FetchStep::proxy, "407");
  HttpsServer refusing(plain, once("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"));
  expect_failure(through(refusing), FetchStep::proxy, "the proxy of https_proxy answers 403");
  HttpsServer silent(plain, [](ServerConnection& connection) { (void)connection.read_request(); });
  EXPECT_EQ(through(silent).step, FetchStep::proxy);
  std::string dead;
  {
    HttpsServer gone(plain, once(""));
    dead = gone.endpoint();
  }
  ::setenv("https_proxy", ("http://" + dead).c_str(), 1);
  expect_failure(failed(wish), FetchStep::proxy, "https_proxy");
  ::setenv("https_proxy", "http://bad proxy/", 1);
  EXPECT_EQ(failed(wish).step, FetchStep::proxy);
  // What is wrong behind an open tunnel is not the proxy's fault.
  HttpsServer expired(server_with(authority().issue(
                          {{"IP:127.0.0.5"}, std::chrono::hours(-2), std::chrono::hours(-1)})),
                      once(""));
  HttpsServer open(plain, proxy_to(expired));
  expect_failure(through(open), FetchStep::tls, "expired");
}

// Runs `body` in a child with files of its own in place of the system's resolver files.
struct Names {
  std::string hosts = "";
  std::string services = "hosts: files\n";  // nsswitch.conf
  std::string resolver = "";
};

void replace_file(const std::string& text, const char* target) {
  std::string path = "/tmp/timectl-names-XXXXXX";
  const int fd = ::mkstemp(path.data());
  ::close(fd);
  std::ofstream(path) << text;
  if (::mount(path.c_str(), target, nullptr, MS_BIND, nullptr) != 0) std::_Exit(99);
  ::unlink(path.c_str());
}

void use_names(const Names& names) {
  if (::unshare(CLONE_NEWNS) != 0) std::_Exit(98);
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) std::_Exit(97);
  replace_file(names.hosts, "/etc/hosts");
  replace_file(names.services, "/etc/nsswitch.conf");
  replace_file(names.resolver, "/etc/resolv.conf");
}

// Ends the child; its last line is the outcome.
[[noreturn]] void tell(const std::variant<Fetched, FetchFailure>& outcome) {
  std::string line;
  if (const auto* failure = std::get_if<FetchFailure>(&outcome)) {
    line = std::string(name_of(failure->step)) + "|" + failure->message + "|" + failure->address;
  } else {
    const auto& got = std::get<Fetched>(outcome);
    line = "ok|" + got.body + "|" + got.address;
  }
  ::fprintf(stderr, "%s\n", line.c_str());
  std::_Exit(0);
}

class NamesTest : public FetchTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "names are replaced in a mount namespace: needs root";
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
};

using ::testing::ExitedWithCode;

TEST_F(NamesTest, UnknownNameDoesNotResolve) {
  EXPECT_EXIT(
      {
        use_names({});
        tell(fetch(request("https://no-such-host.invalid/")));
      },
      ExitedWithCode(0), "dns.no-such-host.invalid: the name does not resolve");
  EXPECT_EXIT(
      {
        use_names({});
        ::setenv("https_proxy", "http://no-such-proxy.invalid:3128", 1);
        tell(fetch(request("https://no-such-host.invalid/")));
      },
      ExitedWithCode(0), "proxy.the proxy of https_proxy has a name that does not resolve");
}

TEST_F(NamesTest, PoisonedNameIsNotAsked) {
  EXPECT_EXIT(
      {
        use_names({"127.0.0.1 lists.test\n10.0.0.1 lists.test\n"});
        auto wish = request("https://lists.test/");
        wish.allow_private = false;
        tell(fetch(wish));
      },
      ExitedWithCode(0), "dns.lists.test resolves to .*, a (loopback|private) address");
}

TEST_F(NamesTest, WwwSiblingIsFollowedInBothDirections) {
  for (const std::string from : {"lists.test", "www.lists.test"}) {
    const std::string to = from == "lists.test" ? "www.lists.test" : "lists.test";
    EXPECT_EXIT(
        {
          use_names({"127.0.0.5 lists.test www.lists.test other.test\n"});
          HttpsServer server(good_server(), [&](ServerConnection& connection) {
            const auto head = connection.read_request();
            std::string location = "Location: https://";
            location += to;
            location += head.substr(head.find(from + ":") + from.size(), 6);  // ":40123"
            const bool sibling = head.find("Host: " + to + ":") != std::string::npos;
            connection.send(sibling ? list_answer(kList)
                                    : answer("301 Moved", location + "/x\r\n", ""));
          });
          tell(fetch(request("https://" + from + ":" + std::to_string(server.port()) + "/")));
        },
        ExitedWithCode(0), "ok.\\[\"9.9.9.9\"\\].127.0.0.5:");
  }
}

TEST_F(NamesTest, SystemsCertificatesDoNotCountBesideACaFile) {
  // The system trusts a root in both of its ways; the request names another one.
  const auto outcome_with = [](const std::string& ca_file) {
    use_names({});
    const TestAuthority system("the system's root");
    std::string store = "/tmp/timectl-store-XXXXXX";
    if (::mkdtemp(store.data()) == nullptr) std::_Exit(93);
    const auto take = [&](const std::string& name) {
      std::ofstream(store + "/" + name) << std::ifstream(system.file()).rdbuf();
    };
    take("ca-certificates.crt");
    take(system.file_name_in_store());
    if (::mount(store.c_str(), "/etc/ssl/certs", nullptr, MS_BIND, nullptr) != 0) std::_Exit(92);
    HttpsServer server(server_with(system.issue({{"IP:127.0.0.5"}})), always(list_answer(kList)));
    auto wish = request(server.url());
    wish.ca_file = ca_file;
    const auto outcome = fetch(wish);
    std::filesystem::remove_all(store);
    tell(outcome);
  };
  EXPECT_EXIT(outcome_with(""), ExitedWithCode(0), "ok.\\[\"9.9.9.9\"\\]");
  EXPECT_EXIT(outcome_with(authority().file()), ExitedWithCode(0), "tls.*do not trust");
}

TEST_F(NamesTest, SlowResolverIsLeftAtTheDeadline) {
  // glibc alone would wait for 5 s and ask again.
  EXPECT_EXIT(
      {
        use_names({"", "hosts: dns\n", "nameserver 127.0.0.77\n"});
        const int mute = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(53);
        ::inet_pton(AF_INET, "127.0.0.77", &at.sin_addr);
        if (::bind(mute, reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0) std::_Exit(96);
        auto wish = request("https://lists.test/");
        wish.timeout = 300ms;
        const Stopwatch stopwatch;
        const auto outcome = fetch(wish);
        if (stopwatch.elapsed() > 1500ms) std::_Exit(95);
        std::stop_source stop;
        stop.request_stop();
        wish.timeout = std::chrono::seconds(10);
        (void)fetch(wish, stop.get_token());
        if (stopwatch.elapsed() > 2000ms) std::_Exit(94);
        tell(outcome);
      },
      ExitedWithCode(0), "timeout.not done within 0.3 s: it ended while resolving the name");
}

}  // namespace
}  // namespace timectl::discovery
