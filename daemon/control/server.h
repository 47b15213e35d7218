#pragma once
// The control server: commands of this host reach the node over a Unix socket, one JSON-RPC line
// per request (line.h), answered in order by the handler the daemon gives (Methods). It lives on
// the daemon's io_context and thread; all calls come from there. It knows limits and credentials,
// not what the methods mean, except `hello`, which comes first, and `events.follow`, after which a
// connection is a stream of notifications.
//
// Promises: no client can make the node wait, grow without bound or lose a confirmed change; the
// places of root and the node's user cannot be taken by others; a live socket is never replaced.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "daemon/control/api.h"
#include "daemon/control/limits.h"
#include "daemon/control/line.h"
#include "daemon/core/events.h"

namespace boost::asio {
class io_context;
}

namespace timectl::control {

using EventFilter = std::function<bool(const Event&)>;

// Work that takes longer than a ping may wait (a check of the whole database): it runs in a thread
// of its own, on things of its own, and ends early when the token says so.
using Job = std::function<Result<json::value>(std::stop_token)>;

// An answer that comes later, from the network thread's own work (a fetch, a large change): the
// function is called at once with the way to answer, which is used exactly once.
using Answer = std::function<void(Result<json::value>)>;
using Later = std::function<void(Answer)>;

struct Reply {
  Result<json::value> result = json::value(nullptr);
  EventFilter follow = {};  // set: after this reply every event that passes is sent
  Job job = {};             // set: the result is the job's
  Later later = {};         // set: the result comes by it
};
using Handler =
    std::function<Reply(const std::string& method, const json::value& params, const Actor& actor)>;

struct ServerOptions {
  std::string path = {};
  std::optional<std::string> group = {};  // of the socket file; none: the process's own
  std::uint32_t node_uid = 0;
  Limits limits = {};
  std::function<Instant()> now = {};
  std::function<Duration()> thread_time =
      {};  // thread_time() of daemon/clock.h; none: jobs are free
  // Who may send long requests, besides root and the node's user; none: nobody.
  std::function<bool(const Actor& actor)> may_change = {};
};

class Server {
 public:
  Server(boost::asio::io_context& io, ServerOptions options, Handler handler);
  ~Server();  // closes everything at once
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Errors: those of SocketFile::create.
  [[nodiscard]] Result<void> listen();
  [[nodiscard]] std::uint32_t socket_group() const;  // of the file; after listen()
  // To every follower whose filter lets it pass; a follower that does not keep up is cut.
  void publish(const Event& event);
  // Accepts nobody any more and removes the file; replies under way are still written, then
  // clients() goes to 0 within the write time limit.
  void stop();
  [[nodiscard]] std::size_t clients() const;

 private:
  struct State;
  class Session;
  std::shared_ptr<State> state_;
};

}  // namespace timectl::control
