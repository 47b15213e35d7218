#pragma once
// How a command reaches the methods of control/api.h: over the control socket of the running node,
// or, where none runs, in this process on the database itself (daemon/methods_offline). The reply
// has one shape either way; `source` says which it was. Blocking, with a limit on every wait and
// every size; no Asio, because a command lives for milliseconds.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/load.h"
#include "config/paths.h"
#include "daemon/control/api.h"
#include "daemon/control/line.h"
#include "daemon/core/json.h"
#include "daemon/core/result.h"
#include "daemon/core/time.h"

namespace timectl {
class Offline;
}

namespace timectl::cmd {

// One connection to a node, with hello done.
class Client {
 public:
  // Errors: node_not_running (no socket, or nobody behind it), access_denied naming the group,
  // protocol_mismatch, timed_out, busy, connection_lost. `timeout` is for all of it.
  [[nodiscard]] static Result<Client> connect(const std::filesystem::path& socket,
                                              Duration timeout);
  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  ~Client();

  // Sends one request and waits for its reply. After an error of the connection no further call.
  [[nodiscard]] Result<json::value> call(std::string_view method, const json::value& params,
                                         Duration timeout);
  // After events.follow: the next notification's params; none when `timeout` is over.
  [[nodiscard]] Result<std::optional<json::value>> next_event(Duration timeout);
  // For those who wait on descriptor() themselves, with several questions out at once: ask() only
  // sends, hear() takes what has come without waiting, none when that is all. After an error of
  // the connection (hear() fails itself) no further call.
  struct Heard {
    std::uint64_t id = 0;  // that ask() gave; 0: an event of a stream, or about the connection
    Result<json::value> result = json::value(nullptr);
  };
  [[nodiscard]] Result<std::uint64_t> ask(std::string_view method, const json::value& params,
                                          Duration timeout);
  [[nodiscard]] Result<std::optional<Heard>> hear();
  [[nodiscard]] const control::HelloReply& node() const { return node_; }
  // For poll() beside other descriptors, as `events --follow` does; owned by the client.
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  explicit Client(int descriptor) : descriptor_(descriptor) {}
  [[nodiscard]] static Result<Client> greet(const std::filesystem::path& socket, Instant deadline);
  [[nodiscard]] Result<void> send(std::string_view line, Instant deadline);
  [[nodiscard]] Result<std::optional<std::string>> receive(Instant deadline);
  int descriptor_ = -1;
  std::uint64_t last_id_ = 0;
  control::LineBuffer lines_{control::kReplyLimit};
  control::HelloReply node_ = {};
};

struct Route {
  config::Config config = {};
  config::Environment environment = {};
  std::optional<std::string> socket = {};  // --socket
  Duration timeout = std::chrono::seconds(5);
  std::string command = {};                               // "timectl whitelist add", for the lock
  std::function<void(const std::string& line)> say = {};  // -v: which way was taken, and why
  // Where the configuration cannot be loaded: why, and whether the network or the data directory
  // had to be guessed. The node that answers all the same is named to `warn`.
  std::optional<Error> broken = {};
  bool guessed = false;
  std::function<void(const std::string& line)> warn = {};
};

// The node, wherever the route finds it. Errors as Client::connect; node_not_running names the
// places that were tried. Where the configuration is broken and no node answers, that is the
// error; and a guess is good for reading only: `method` is the one that needs the most.
[[nodiscard]] Result<Client> find_node(const Route& route, std::string_view method = {});

// What a command calls: opens the way once, for methods up to the given one's privilege.
class Backend {
 public:
  // `method` is the one that needs the most: it decides whether the database may be opened for
  // reading only, and whether a node is needed at all (node_not_running, exit 69). Without a node
  // waits up to the route's timeout for the lock, then database_locked (75) naming the holder.
  [[nodiscard]] static Result<Backend> open(const Route& route, std::string_view method);
  Backend(Backend&&) noexcept;
  Backend& operator=(Backend&&) noexcept;
  ~Backend();

  // Slow methods of the table get an hour instead of the route's timeout.
  [[nodiscard]] Result<json::value> call(std::string_view method,
                                         const json::value& params = nullptr);
  template <class Request>
  requires Described<Request>
  [[nodiscard]] Result<json::value> call(std::string_view method, const Request& request) {
    return call(method, to_json(request));
  }
  [[nodiscard]] std::string_view source() const { return client_ ? "node" : "database"; }
  [[nodiscard]] Client* client() { return client_ ? &*client_ : nullptr; }

 private:
  explicit Backend(Duration timeout);
  Duration timeout_;
  std::optional<Client> client_;
  std::unique_ptr<Offline> offline_;
};

}  // namespace timectl::cmd
