#include "cmd/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/clock.h"
#include "daemon/control/socket_file.h"
#include "daemon/methods_offline.h"

namespace timectl::cmd {
namespace {

constexpr std::size_t kReadSize = 65536;
constexpr Duration kSlow = 1h;
constexpr Duration kRetry = 10ms;       // of a full backlog
constexpr Duration kLockSlice = 250ms;  // then look again whether a node has started meanwhile

Error not_running(const std::string& because) {
  return {Code::node_not_running, "no node is running", because, {"timectl node start"}};
}

Error lost(const std::string& because) {
  return {
      Code::connection_lost, "the node closed the connection", because, {"timectl node status"}};
}

Error late(const std::string& what) {
  return {Code::timed_out,
          what + " in time",
          "",
          {"timectl node status", "the same command with a longer --timeout"}};
}

std::string reason(int number) {
  return std::error_code(number, std::generic_category()).message();
}

// Who the socket is for, so that the user knows which group to ask for.
Error denied(const std::filesystem::path& socket) {
  const auto user = control::user_name(::geteuid());
  Error error{Code::access_denied,
              "the control socket " + socket.string() + " does not let user " + user + " in"};
  struct stat info {};
  auto owner = socket;
  if (::stat(socket.c_str(), &info) != 0) {
    owner = socket.parent_path();
    if (::stat(owner.c_str(), &info) != 0) return error;
  }
  const auto group = control::group_name(info.st_gid);
  error.because = owner.string() + " belongs to group " + group + ", and " + user + " is not in it";
  // Root's group opens more than this socket, and a mode without the group's bits opens nothing.
  if (info.st_gid != 0 && (info.st_mode & S_IRWXG) != 0) {
    error.remedy = {"sudo usermod -aG " + group + " " + user + ", then log in again"};
  }
  error.remedy.emplace_back("sudo timectl status");
  return error;
}

// Waits until the descriptor is ready. False: the deadline came first.
Result<bool> wait_for(int descriptor, short events, Instant deadline) {
  for (;;) {
    const auto left = deadline - clock_now().mono;
    if (left <= Duration::zero()) return false;
    pollfd entry{descriptor, events, 0};
    const auto millis = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(millis, 1 << 30)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) {
      return Error{Code::input_output, "waiting for the node failed", reason(errno)};
    }
    if (ready < 0) return Error{Code::interrupted, "interrupted while waiting for the node"};
  }
}

// A connected, non-blocking descriptor.
Result<int> open_connection(const std::filesystem::path& socket, Instant deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto& path = socket.native();
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Error{Code::invalid_argument, "the socket's path has " + std::to_string(path.size()) +
                                             " bytes, 1 to 107 are possible"};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  for (;;) {
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return Error{Code::input_output, "no socket can be made", reason(errno)};
    const int failed =
        ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
            ? 0
            : errno;
    if (failed == 0) return descriptor;
    ::close(descriptor);
    if (failed == ENOENT || failed == ENOTDIR) return not_running("there is no " + path);
    if (failed == ECONNREFUSED || failed == ENOTSOCK || failed == EPROTOTYPE) {
      return not_running("nobody answers on " + path);
    }
    if (failed == EACCES || failed == EPERM) return denied(socket);
    if (failed != EAGAIN && failed != EINTR) {
      return Error{Code::input_output, "cannot connect to " + path, reason(failed)};
    }
    if (clock_now().mono >= deadline) {
      return Error{Code::busy, "the node does not take connections", "its queue is full"};
    }
    (void)::poll(nullptr, 0, static_cast<int>(kRetry / 1ms));
  }
}

}  // namespace

Client::Client(Client&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      last_id_(other.last_id_),
      lines_(std::move(other.lines_)),
      node_(std::move(other.node_)) {}

Client& Client::operator=(Client&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(last_id_, other.last_id_);
  std::swap(lines_, other.lines_);
  std::swap(node_, other.node_);
  return *this;
}

Client::~Client() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<Client> Client::connect(const std::filesystem::path& socket, Duration timeout) {
  const auto deadline = clock_now().mono + timeout;
  for (;;) {
    auto client = greet(socket, deadline);
    // Many commands at once are turned away at the node's limit of clients: each takes its turn.
    if (client || client.error().code != Code::busy || clock_now().mono + kRetry >= deadline) {
      return client;
    }
    (void)::poll(nullptr, 0, static_cast<int>(kRetry / 1ms));
  }
}

Result<Client> Client::greet(const std::filesystem::path& socket, Instant deadline) {
  const auto descriptor = open_connection(socket, deadline);
  if (!descriptor) return descriptor.error();
  Client client(*descriptor);
  const auto left = deadline - clock_now().mono;
  const control::HelloRequest hello{control::kApiVersion, TIMECTL_VERSION};
  auto reply = client.call("hello", to_json(hello), std::max<Duration>(left, 1ms));
  if (!reply) return reply.error();
  // A later node of the same API may say more than this one knows.
  const auto* object = reply->if_object();
  const auto* api = object == nullptr ? nullptr : object->if_contains("api");
  if (api == nullptr || *api != control::kApiVersion) {
    return Error{Code::protocol_mismatch,
                 "the node speaks another control protocol",
                 "its hello does not name API " + std::to_string(control::kApiVersion),
                 {"timectl version", "timectl node restart"}};
  }
  json::object known;
  for_each_member(client.node_, [&](const char* name, auto&) {
    if (const auto* value = object->if_contains(name)) known.emplace(name, *value);
  });
  if (auto ok = from_json(json::value(known), client.node_, ""); !ok) return ok.error();
  return client;
}

Result<void> Client::send(std::string_view line, Instant deadline) {
  while (!line.empty()) {
    const auto sent = ::send(descriptor_, line.data(), line.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      line.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    // A node that refuses the client says why and closes: what it said is still to be read.
    if (errno == EPIPE || errno == ECONNRESET) return {};
    if (errno != EAGAIN && errno != EINTR) return lost(reason(errno));
    const auto ready = wait_for(descriptor_, POLLOUT, deadline);
    if (!ready) return ready.error();
    if (!*ready) return late("the node did not take the request");
  }
  return {};
}

Result<std::optional<std::string>> Client::receive(Instant deadline) {
  std::array<char, kReadSize> buffer{};
  for (;;) {
    if (auto line = lines_.next()) return line;
    if (lines_.overflowed()) return Error{Code::too_large, "the node's answer is over 64 MiB"};
    const auto got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (got > 0) {
      lines_.append({buffer.data(), static_cast<std::size_t>(got)});
      continue;
    }
    if (got == 0) return lost("it was stopped, or it cut a client that was slow or asked too much");
    if (errno != EAGAIN && errno != EINTR) return lost(reason(errno));
    const auto ready = wait_for(descriptor_, POLLIN, deadline);
    if (!ready) return ready.error();
    if (!*ready) return std::optional<std::string>();
  }
}

Result<std::uint64_t> Client::ask(std::string_view method, const json::value& params,
                                  Duration timeout) {
  const json::value id = ++last_id_;
  const auto request = control::request_line(id, method, params);
  if (request.size() > control::kRequestLimit) {
    return Error{Code::too_large, "the request is over 4 MiB", "", {"split the input"}};
  }
  if (auto ok = send(request, clock_now().mono + timeout); !ok) return ok.error();
  return last_id_;
}

Result<std::optional<Client::Heard>> Client::hear() {
  auto line = receive(clock_now().mono);
  if (!line) return line.error();
  if (!*line) return std::optional<Heard>();
  auto incoming = control::parse_incoming(**line);
  if (!incoming) return incoming.error();
  Heard heard;
  // Compared as numbers: the parser makes a signed one of what was sent unsigned.
  if (incoming->method.empty() && incoming->id.is_number()) {
    heard.id = incoming->id.to_number<std::uint64_t>();
  }
  heard.result = std::move(incoming->result);
  return std::optional<Heard>(std::move(heard));
}

Result<json::value> Client::call(std::string_view method, const json::value& params,
                                 Duration timeout) {
  const auto deadline = clock_now().mono + timeout;
  const auto asked = ask(method, params, timeout);
  if (!asked) return asked.error();
  for (;;) {
    auto line = receive(deadline);
    if (!line) return line.error();
    if (!*line) return late("the node did not answer " + std::string(method));
    auto incoming = control::parse_incoming(**line);
    if (!incoming) return incoming.error();
    if (!incoming->method.empty()) continue;  // an event of a stream
    // Without an id: about the connection as a whole (too many clients, a line it did not read).
    const bool ours =
        incoming->id.is_number() && incoming->id.to_number<std::uint64_t>() == last_id_;
    if (ours || incoming->id.is_null()) return std::move(incoming->result);
  }
}

Result<std::optional<json::value>> Client::next_event(Duration timeout) {
  auto line = receive(clock_now().mono + timeout);
  if (!line) return line.error();
  if (!*line) return std::optional<json::value>();
  auto incoming = control::parse_incoming(**line);
  if (!incoming) return incoming.error();
  if (!incoming->result) return incoming->result.error();
  return std::optional<json::value>(std::move(*incoming->result));
}

Backend::Backend(Duration timeout) : timeout_(timeout) {}
Backend::Backend(Backend&&) noexcept = default;
Backend& Backend::operator=(Backend&&) noexcept = default;
Backend::~Backend() = default;

namespace {

// The first place with a database; where there is none, the place of a new one.
Result<std::filesystem::path> choose_data_dir(const Route& route) {
  std::error_code ignored;
  for (const auto& place : config::state_dirs(route.config, route.environment)) {
    if (std::filesystem::exists(place / store::kDatabaseFile, ignored)) return place;
  }
  return config::state_dir(route.config, route.environment);
}

}  // namespace

Result<Backend> Backend::open(const Route& route, std::string_view method) {
  const auto* row = control::find_method(method);
  TIMECTL_CHECK(row != nullptr);
  Backend backend(route.timeout);
  const auto deadline = clock_now().mono + route.timeout;
  for (;;) {
    auto client = find_node(route, method);
    if (client) {
      backend.client_.emplace(std::move(*client));
      return backend;
    }
    if (client.error().code != Code::node_not_running || row->needs_node) return client.error();
    const auto data_dir = choose_data_dir(route);
    if (!data_dir) return data_dir.error();
    const bool reads = row->privilege == control::Privilege::read;
    const auto left = deadline - clock_now().mono;
    auto offline = Offline::open(
        {route.config, *data_dir, reads ? store::OpenMode::read_only : store::OpenMode::read_write,
         route.command, std::clamp<Duration>(left, Duration::zero(), kLockSlice)});
    if (offline) {
      if (route.say) route.say("no node is running: database " + data_dir->string());
      backend.offline_ = std::move(*offline);
      return backend;
    }
    if (offline.error().code != Code::database_locked || left <= kLockSlice) {
      return offline.error();
    }
  }
}

Result<json::value> Backend::call(std::string_view method, const json::value& params) {
  if (offline_) return offline_->call(std::string(method), params);
  const auto* row = control::find_method(method);
  return client_->call(method, params, row != nullptr && row->slow ? kSlow : timeout_);
}

}  // namespace timectl::cmd
