#include "daemon/host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

namespace timectl {
namespace {

// Besides those of connections: database, control clients, dials, and whom we are about to refuse.
constexpr rlim_t kOtherDescriptors = 8192;

struct SocketEnd {
  IpAddress ip;
  std::uint16_t port = 0;
};

// "0100007F:5DC0" or 32 digits: 32-bit words in the host's (little-endian) order.
std::optional<SocketEnd> parse_end(std::string_view text) {
  const auto colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  IpAddress::Bytes bytes{};
  if (colon == 8) bytes[10] = bytes[11] = 0xff;
  const std::size_t first = colon == 8 ? 12 : 0;
  for (std::size_t word = 0; word * 8 < colon; ++word) {
    std::uint32_t value = 0;
    const char* begin = text.data() + word * 8;
    const auto [end, failed] = std::from_chars(begin, begin + 8, value, 16);
    if (failed != std::errc{} || end != begin + 8) return std::nullopt;
    std::memcpy(bytes.data() + first + word * 4, &value, 4);
  }
  SocketEnd result{IpAddress(bytes), 0};
  const char* begin = text.data() + colon + 1;
  const char* last = text.data() + text.size();
  const auto [end, failed] = std::from_chars(begin, last, result.port, 16);
  if (failed != std::errc{} || end != last) return std::nullopt;
  return result;
}

std::string read_bounded(const char* path, std::size_t limit) {
  std::ifstream file(path, std::ios::binary);
  std::string text(limit, '\0');
  file.read(text.data(), static_cast<std::streamsize>(limit));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

ModeDecision decide_mode(config::ModeChoice choice, bool passive_flag, const IpAddress& listen,
                         const HostEvidence& evidence) {
  if (passive_flag) return {NodeMode::passive, "--passive was given", false};
  if (choice == config::ModeChoice::passive) {
    return {NodeMode::passive, "node.mode is passive", false};
  }
  if (listen.is_loopback()) return {NodeMode::active, "", evidence.port_taken};
  if (!evidence.foreign_session.empty()) {
    return {NodeMode::passive,
            "another process of this host talks to a masternode (" + evidence.foreign_session + ")",
            false};
  }
  const bool own_address = choice == config::ModeChoice::active && !listen.is_unspecified();
  if (evidence.port_taken) {
    if (own_address) return {NodeMode::active, "", true};
    return {NodeMode::passive,
            "the P2P port is taken on " + listen.to_string() + ": a timed runs on this host",
            false};
  }
  if (evidence.rpc_answers && !own_address) {
    return {NodeMode::passive, "a timed answers on its RPC port on this host", false};
  }
  return {};
}

bool rpc_answers(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool answers = false;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    answers = true;
  } else if (errno == EINPROGRESS) {
    pollfd waiting{fd, POLLOUT, 0};
    int error = 0;
    socklen_t length = sizeof(error);
    answers = ::poll(&waiting, 1, 300) == 1 &&
              ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
  }
  ::close(fd);
  return answers;
}

std::string find_session(std::string_view proc_net_tcp, const Whitelist& whitelist,
                         std::uint16_t port) {
  constexpr std::string_view kEstablished = "01";
  std::istringstream lines{std::string(proc_net_tcp)};
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string slot;
    std::string local_text;
    std::string remote_text;
    std::string state;
    if (!(fields >> slot >> local_text >> remote_text >> state) || state != kEstablished) continue;
    const auto local = parse_end(local_text);
    const auto remote = parse_end(remote_text);
    if (!local || !remote || local->ip.is_loopback()) continue;
    const bool theirs = remote->port == port || local->port == port;
    if (theirs && whitelist.contains(remote->ip)) {
      return local->ip.to_string() + " -> " + remote->ip.to_string() + ":" +
             std::to_string(remote->port);
    }
  }
  return {};
}

std::string foreign_session(const Whitelist& whitelist, std::uint16_t port) {
  constexpr std::size_t kLimit = 4 << 20;  // some 27,000 sockets
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    auto found = find_session(read_bounded(path, kLimit), whitelist, port);
    if (!found.empty()) return found;
  }
  return {};
}

std::optional<IpAddress> own_address_of(const config::Config& config) {
  if (config.node.external_address) return config.node.external_address;
  if (!config.node.listen.is_unspecified()) return config.node.listen;
  return route_address();
}

std::optional<IpAddress> route_address() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  ::inet_pton(AF_INET, "192.0.2.1", &address.sin_addr);  // TEST-NET-1: any address out there
  std::optional<IpAddress> result;
  socklen_t length = sizeof(address);
  // Connecting a datagram socket only asks the routing table.
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0) {
    std::uint8_t b[4];
    std::memcpy(b, &address.sin_addr, 4);
    result = IpAddress::v4(b[0], b[1], b[2], b[3]);
  }
  ::close(fd);
  if (result && result->is_unspecified()) return std::nullopt;
  return result;
}

void raise_descriptor_limit(std::size_t connections) {
  rlimit limit{};
  const rlim_t wanted = connections + kOtherDescriptors;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  // A lower limit only means fewer connections; the accept loop lives with that.
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace timectl
