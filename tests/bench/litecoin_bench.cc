// What an idle connection costs litecoind (Debian's Bitcoin Core fork) and what it costs us, in one
// run: 500 peers from 500 addresses that have done the version handshake, theirs without TLS, ours
// with. litecoind runs in regtest on a loopback address and dials nobody.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "tests/bench/crowd.h"

namespace timectl::bench {
namespace {

constexpr std::size_t kPeers = 500;
constexpr std::uint16_t kPort = 24'659;
constexpr IpAddress kNode = IpAddress::v4(127, 64, 0, 6);
constexpr std::size_t kHeader = 24;

using Bytes = std::vector<std::uint8_t>;

void put(Bytes& to, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) to.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

// Magic of regtest, command, length, checksum.
Bytes message(std::string_view command, const Bytes& payload) {
  Bytes bytes{0xfa, 0xbf, 0xb5, 0xda};
  bytes.insert(bytes.end(), command.begin(), command.end());
  bytes.resize(16);
  put(bytes, payload.size(), 4);
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(payload.data(), payload.size(), digest.data());
  SHA256(digest.data(), digest.size(), digest.data());
  bytes.insert(bytes.end(), digest.begin(), digest.begin() + 4);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

Bytes version(std::uint64_t nonce) {
  Bytes payload;
  put(payload, 70'017, 4);
  put(payload, 1, 8);  // a node with all blocks
  put(payload, static_cast<std::uint64_t>(std::time(nullptr)), 8);
  payload.resize(payload.size() + 52);  // two addresses, which nobody looks at
  put(payload, nonce, 8);
  payload.push_back(0);  // no user agent
  put(payload, 0, 4);
  payload.push_back(1);
  return message("version", payload);
}

bool ready(const net::Fd& fd, short events, int patience_ms) {
  pollfd wait{fd.get(), events, 0};
  return ::poll(&wait, 1, patience_ms) == 1;
}

// Reads whole messages until `command` has come.
bool read_until(const net::Fd& fd, std::string_view command) {
  Bytes received;
  std::array<std::uint8_t, 4096> chunk{};
  for (std::size_t at = 0; ready(fd, POLLIN, 5000);) {
    const auto got = ::recv(fd.get(), chunk.data(), chunk.size(), 0);
    if (got <= 0) return false;
    received.insert(received.end(), chunk.begin(), chunk.begin() + got);
    while (received.size() >= at + kHeader) {
      std::uint32_t length = 0;
      std::memcpy(&length, received.data() + at + 16, sizeof(length));
      if (received.size() < at + kHeader + length) break;
      const char* name = reinterpret_cast<const char*>(received.data()) + at + 4;
      if (std::string_view(name, ::strnlen(name, 12)) == command) return true;
      at += kHeader + length;
    }
  }
  return false;
}

net::Fd peer(std::size_t n) {
  net::Attempt attempt = net::dial({kNode, kPort}, address(80, n));
  const Bytes ours = version(n + 1);
  const Bytes ack = message("verack", {});
  const bool up = attempt.fd.open() && ready(attempt.fd, POLLOUT, 5000) &&
                  net::pending_error(attempt.fd.get()) == 0 &&
                  ::send(attempt.fd.get(), ours.data(), ours.size(), MSG_NOSIGNAL) > 0 &&
                  read_until(attempt.fd, "verack") &&
                  ::send(attempt.fd.get(), ack.data(), ack.size(), MSG_NOSIGNAL) > 0;
  return up ? std::move(attempt.fd) : net::Fd();
}

class Litecoind {
 public:
  Litecoind() {
    std::string pattern = (std::filesystem::temp_directory_path() / "litecoind-XXXXXX");
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = pattern;
    const std::string data = "-datadir=" + directory_;
    const std::string bind = "-bind=" + kNode.to_string() + ":" + std::to_string(kPort);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::execlp("litecoind", "litecoind", "-regtest", data.c_str(), bind.c_str(), "-listen=1",
             "-connect=0", "-dnsseed=0", "-discover=0", "-listenonion=0", "-server=0",
             "-disablewallet", "-maxconnections=1000", nullptr);
    ::_exit(127);
  }
  ~Litecoind() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(directory_);
  }
  Litecoind(const Litecoind&) = delete;
  Litecoind& operator=(const Litecoind&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  std::string directory_;
  pid_t pid_ = -1;
};

// KiB for each of kPeers connections; 0 where they could not be made.
double litecoind_kib() {
  const Litecoind node;
  net::Fd first;
  for (int i = 0; i < 300 && node.running() && !first.open(); ++i) {
    ::poll(nullptr, 0, 100);
    first = peer(kPeers);
  }
  ::poll(nullptr, 0, 2000);
  const double before = resident_kib(node.pid());
  std::vector<net::Fd> peers;
  for (std::size_t n = 0; n < kPeers; ++n) {
    peers.push_back(peer(n));
    if (!peers.back().open()) return 0;
  }
  ::poll(nullptr, 0, 3000);
  return (resident_kib(node.pid()) - before) / kPeers;
}

void IdleConnectionAgainstLitecoind(benchmark::State& state) {
  raise_descriptors();
  for (auto _ : state) {
    const double theirs = litecoind_kib();
    if (theirs <= 0) return state.SkipWithError("litecoind is missing or does not take peers");
    Crowd crowd(Kind::regular, kPeers);
    (void)crowd.rest(1, false);
    const double before = resident_kib(crowd.node().pid());
    if (!crowd.grow(kPeers)) return state.SkipWithError("not all connected");
    (void)crowd.rest(3, false);
    const double ours = (resident_kib(crowd.node().pid()) - before) / kPeers;
    state.counters["KiB_litecoind"] = theirs;
    state.counters["KiB_timectl"] = ours;
    state.counters["of_litecoind"] = ours / theirs;
    state.counters["load"] = load_average();
  }
}
BENCHMARK(IdleConnectionAgainstLitecoind)->Repetitions(1)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace timectl::bench

BENCHMARK_MAIN();
