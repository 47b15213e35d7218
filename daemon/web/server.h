#pragma once
// The web server of a node: the dashboard and /metrics, in a thread and an io_context of its own,
// because whatever browsers do must not cost the network thread a pong. The daemon makes one
// (daemon_dashboard.h), gives it values (update) and answers its questions (Source).
//
// Promises: bounded in connections, memory and time, whatever a client does or leaves undone; the
// destructor ends it at once, and waits for nobody.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/result.h"
#include "daemon/web/asset.h"
#include "daemon/web/board.h"
#include "daemon/web/session.h"

namespace timectl::web {

// Makes a text, in the server's thread: what takes long there costs the network thread nothing.
using Maker = std::function<std::string()>;
// Answers, from any thread, at most once; at any time later, also after the server is gone.
using Deliver = std::function<void(Maker make)>;
// Called in the server's thread, one question at a time; it asks somebody, and does not wait.
using Source = std::function<void(Deliver deliver)>;

struct ServerOptions {
  std::string token = {};
  std::vector<std::string> hosts = {};  // dashboard.hosts
  Source overview = {};
  Source history = {};
  Source metrics = {};
  // In the server's thread: somebody looks, and the board wants values soon.
  std::function<void()> watched = {};
  Limits limits = {};
};

struct Listen {
  IpAddress ip = IpAddress::v4(127, 0, 0, 1);
  std::uint16_t port = 0;        // 0: a free one
  bool pages = true;             // the dashboard and its API
  bool metrics = false;          // /metrics
  std::string certificate = {};  // PEM files; empty: plain HTTP
  std::string key = {};
};

class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Before run(). The port. Errors: port_in_use, cannot_create, bad_data (the TLS files).
  [[nodiscard]] Result<std::uint16_t> listen(const Listen& where);
  void run();  // starts the thread

  // From any thread: the function works on the board in the server's thread; then all streams get
  // what changed. False: two wait already, and this one was not taken.
  bool update(std::function<void(Board& board)> change);
  [[nodiscard]] std::size_t streams() const;  // open ones; from any thread

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace timectl::web
