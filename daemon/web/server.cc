#include "daemon/web/server.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <thread>
#include <utility>

#include "daemon/web/answer.h"
#include "daemon/web/tls.h"

namespace timectl::web {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int kBacklog = 128;
constexpr int kMostUpdates = 2;

struct Door {
  explicit Door(asio::io_context& io) : acceptor(io) {}
  tcp::acceptor acceptor;
  std::shared_ptr<const Site> site;
  std::shared_ptr<asio::ssl::context> tls;  // none: plain
  bool resting = false;                     // out of descriptors, until the next tick
};

Error cannot_listen(const Listen& where, const Failure& failed) {
  const auto address = where.ip.is_v4() ? where.ip.to_string() : "[" + where.ip.to_string() + "]";
  const bool taken = failed == asio::error::address_in_use;
  return {taken ? Code::port_in_use : Code::cannot_create,
          "cannot listen on " + address + ":" + std::to_string(where.port),
          taken ? "another program, perhaps another node, listens there" : failed.message()};
}

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  explicit State(ServerOptions given) : options(std::move(given)) { hall.limits = options.limits; }

  void run();
  void stop();
  void accept(Door& door);
  void welcome(Door& door, tcp::socket socket);
  bool make_room();
  void wait_for_tick();
  void tick();
  void wake();
  void ask(Route route, Supply::Take take);
  void question(Supply State::*supply, const Source& source);
  Supply& supply_of(Route route);

  ServerOptions options;
  asio::io_context io{1};
  asio::steady_timer timer{io};
  Hall hall;
  Supply overview{[this] { question(&State::overview, options.overview); }};
  Supply history{[this] { question(&State::history, options.history); }};
  Supply metrics{[this] { question(&State::metrics, options.metrics); }};
  std::list<Door> doors;
  std::list<std::shared_ptr<Session>> sessions;  // oldest first
  std::atomic<std::size_t> streams = 0;
  std::atomic<int> updates = 0;
  std::jthread thread;
};

void Server::State::accept(Door& door) {
  door.acceptor.async_accept([this, &door](const Failure& failed, tcp::socket socket) {
    if (failed == asio::error::operation_aborted) return;
    if (failed) {
      door.resting = true;
      return;
    }
    accept(door);  // first: what is thrown below must not close the door
    welcome(door, std::move(socket));
  });
}

// Who has asked nothing yet, or nothing since, makes room: a flood of open connections keeps nobody
// away, and an open dashboard is never among them.
bool Server::State::make_room() {
  if (sessions.size() < options.limits.connections) return true;
  const auto oldest = std::ranges::find_if(sessions, [](const auto& s) { return s->waits(); });
  if (oldest == sessions.end()) return false;
  const auto session = *oldest;
  session->close();
  return true;
}

void Server::State::welcome(Door& door, tcp::socket socket) {
  if (!make_room()) return;
  auto link = door.tls ? std::make_unique<Link>(std::move(socket), *door.tls)
                       : std::make_unique<Link>(std::move(socket));
  auto session = std::make_shared<Session>(hall, door.site, std::move(link));
  sessions.push_back(session);
  session->start();
}

void Server::State::wait_for_tick() {
  timer.expires_after(options.limits.tick);
  timer.async_wait([this](const Failure& failed) {
    if (failed) return;
    wait_for_tick();
    tick();
  });
}

void Server::State::tick() {
  hall.now += options.limits.tick;
  for (auto it = sessions.begin(); it != sessions.end();) {
    const auto session = *it++;  // which may leave the list
    session->tick();
  }
  for (auto* supply : {&overview, &history, &metrics}) supply->tick(hall.now);
  for (auto& door : doors) {
    if (std::exchange(door.resting, false)) accept(door);
  }
  streams = hall.streams;
}

void Server::State::wake() {
  for (auto it = sessions.begin(); it != sessions.end();) {
    const auto session = *it++;
    session->feed();
  }
}

Supply& Server::State::supply_of(Route route) {
  if (route == Route::metrics) return metrics;
  return route == Route::history ? history : overview;
}

void Server::State::ask(Route route, Supply::Take take) {
  supply_of(route).ask(hall.now, std::move(take));
}

void Server::State::question(Supply State::*supply, const Source& source) {
  if (!source) return (this->*supply).arrived("", hall.now);
  source([weak = weak_from_this(), supply](Maker make) {
    const auto self = weak.lock();
    if (!self) return;
    asio::post(self->io, [state = self.get(), supply, make = std::move(make)] {
      (state->*supply).arrived(make(), state->hall.now);
    });
  });
}

void Server::State::run() {
  hall.ask = [this](Route route, Supply::Take take) { ask(route, std::move(take)); };
  hall.watched = [this] {
    streams = hall.streams;
    if (options.watched) options.watched();
  };
  hall.closed = [this](const std::shared_ptr<Session>& session) {
    sessions.remove(session);
    streams = hall.streams;
  };
  for (auto& door : doors) accept(door);
  wait_for_tick();
  thread = std::jthread([this] {
    (void)::pthread_setname_np(::pthread_self(), "timectl-web");
    while (true) {
      try {
        io.run();
        return;
      } catch (const std::exception&) {
        // Out of memory, in one session's work: its deadline ends it, the others go on.
        continue;
      }
    }
  });
}

void Server::State::stop() {
  io.stop();
  if (thread.joinable()) thread.join();
  // Nobody calls back any more: what is left is destroyed with the io_context.
  sessions.clear();
}

Server::Server(ServerOptions options) : state_(std::make_shared<State>(std::move(options))) {}

Server::~Server() {
  state_->stop();
}

Result<std::uint16_t> Server::listen(const Listen& where) {
  auto& state = *state_;
  Door door(state.io);
  Site site{.token = state.options.token, .hosts = state.options.hosts, .metrics = where.metrics};
  if (where.pages) site.assets = assets();
  if (!where.certificate.empty()) {
    auto tls = server_tls(where.certificate, where.key);
    if (!tls) return tls.error();
    door.tls = std::move(*tls);
    site.tls = true;
  }
  const auto endpoint = endpoint_of(where.ip, where.port);
  Failure failed;
  door.acceptor.open(endpoint.protocol(), failed);
  if (!failed) door.acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed && !where.ip.is_v4()) door.acceptor.set_option(asio::ip::v6_only(true), failed);
  if (!failed) door.acceptor.bind(endpoint, failed);
  if (!failed) door.acceptor.listen(kBacklog, failed);
  if (failed) return cannot_listen(where, failed);
  const auto bound = door.acceptor.local_endpoint(failed);
  if (failed) return cannot_listen(where, failed);
  door.site = std::make_shared<const Site>(std::move(site));
  state.doors.push_back(std::move(door));
  return bound.port();
}

void Server::run() {
  state_->run();
}

bool Server::update(std::function<void(Board& board)> change) {
  if (state_->updates.fetch_add(1) >= kMostUpdates) {
    --state_->updates;
    return false;
  }
  asio::post(state_->io, [state = state_.get(), change = std::move(change)] {
    --state->updates;
    change(state->hall.board);
    state->hall.board_fresh = true;
    state->wake();
  });
  return true;
}

std::size_t Server::streams() const {
  return state_->streams;
}

}  // namespace timectl::web
