#include "daemon/control/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <list>
#include <map>
#include <set>
#include <thread>

#include "daemon/control/socket_file.h"
#include "daemon/core/json.h"

namespace timectl::control {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;
using Failure = boost::system::error_code;

constexpr std::size_t kReadSize = 16384;
constexpr Duration kAcceptPause = 100ms;  // out of descriptors: do not spin

Error busy(std::string because) {
  return {Code::busy, "the node does not take this request now", std::move(because)};
}

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  struct Account {  // one user with connections
    std::size_t clients = 0;
    Budget budget;
  };
  using Done = std::function<void(Result<json::value>, Duration worked)>;

  State(asio::io_context& context, ServerOptions given, Handler handle)
      : io(context),
        options(std::move(given)),
        handler(std::move(handle)),
        acceptor(context),
        pause(context) {}

  [[nodiscard]] bool privileged(std::uint32_t uid) const {
    return uid == 0 || uid == options.node_uid;
  }
  void accept();
  void welcome(Protocol::socket socket);
  // Runs the job in a thread and its result on the network thread; false: too many already, where
  // one place is kept for root and the node's user.
  [[nodiscard]] bool start(Job job, std::uint32_t uid, Done done);
  void charge(std::uint32_t uid, Instant begin) { charge_for(uid, options.now() - begin); }
  void charge_for(std::uint32_t uid, Duration took) {
    const auto account = accounts.find(uid);
    if (account != accounts.end()) account->second.budget.charge(took, options.now());
  }

  asio::io_context& io;
  ServerOptions options;
  Handler handler;
  Protocol::acceptor acceptor;
  asio::steady_timer pause;
  std::optional<SocketFile> file;
  std::set<std::shared_ptr<Session>> sessions;
  std::map<std::uint32_t, Account> accounts;
  std::list<std::jthread> jobs;
  bool stopping = false;
};

// One client. At most one request is under way, and the next line is read only after its answer
// was written: a client that does not read cannot make the node hold more than one answer.
class Server::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::weak_ptr<State> server, Protocol::socket socket, Actor actor, const Limits& limits)
      : server_(std::move(server)),
        socket_(std::move(socket)),
        deadline_(socket_.get_executor()),
        delay_(socket_.get_executor()),
        actor_(std::move(actor)),
        limits_(limits),
        lines_(limits.hello_line) {}

  void start() {
    expect(limits_.hello_timeout);
    read();
  }
  void finish();  // stop(): after what is being answered
  void close();
  void publish(const Event& event, const std::string& line);
  [[nodiscard]] const Actor& actor() const { return actor_; }

 private:
  void expect(Duration within);
  void read();
  void on_read(const Failure& failed, std::size_t size);
  void advance();
  void take(std::string line);
  void serve(const std::string& line, State& server);
  void answer(const json::value& id, Reply reply);
  void send(std::string line);
  void write();

  std::weak_ptr<State> server_;
  Protocol::socket socket_;
  asio::steady_timer deadline_;
  asio::steady_timer delay_;
  Actor actor_;
  Limits limits_;
  LineBuffer lines_;
  std::array<char, kReadSize> buffer_{};
  std::deque<std::string> output_;
  std::size_t output_bytes_ = 0;
  EventFilter follow_;
  bool greeted_ = false;
  bool working_ = false;  // a request is delayed, in the handler or in a job
  bool last_ = false;     // close after what is in output_
};

void Server::Session::expect(Duration within) {
  deadline_.expires_after(within);
  deadline_.async_wait([self = shared_from_this()](const Failure& failed) {
    if (!failed && !self->working_) self->close();
  });
}

void Server::Session::read() {
  socket_.async_read_some(asio::buffer(buffer_),
                          [self = shared_from_this()](const Failure& failed, std::size_t size) {
                            self->on_read(failed, size);
                          });
}

void Server::Session::on_read(const Failure& failed, std::size_t size) {
  if (failed || follow_) return close();  // a stream takes no further request
  lines_.append({buffer_.data(), size});
  advance();
}

void Server::Session::advance() {
  if (working_ || !output_.empty() || last_) return;
  if (auto line = lines_.next()) return take(std::move(*line));
  if (lines_.overflowed()) {
    last_ = true;
    const auto limit = greeted_ ? limits_.request_line : limits_.hello_line;
    return send(reply_line(nullptr, Error{Code::too_large, "a request line is over " +
                                                               std::to_string(limit) + " bytes"}));
  }
  read();
}

void Server::Session::take(std::string line) {
  const auto server = server_.lock();
  if (!server || server->stopping) return close();
  working_ = true;
  const auto account = server->accounts.find(actor_.uid);
  TIMECTL_CHECK(account != server->accounts.end());
  const auto wait = account->second.budget.wait(server->options.now());
  if (wait == Duration::zero()) return serve(line, *server);
  delay_.expires_after(wait);
  delay_.async_wait([self = shared_from_this(), line = std::move(line)](const Failure& failed) {
    const auto alive = self->server_.lock();
    if (failed || !alive || !self->socket_.is_open()) return self->close();
    self->serve(line, *alive);
  });
}

void Server::Session::serve(const std::string& line, State& server) {
  const auto begin = server.options.now();
  auto request = parse_request(line);
  Reply reply;
  json::value id = nullptr;
  if (!request) {
    reply.result = request.error();
    last_ = !greeted_;
  } else if (!greeted_ && request->method != "hello") {
    id = request->id;
    reply.result = Error{Code::protocol_mismatch, "the first request must be hello",
                         "the client speaks another control protocol"};
    last_ = true;
  } else {
    id = request->id;
    reply = server.handler(request->method, request->params, actor_);
    if (request->method == "hello") {
      greeted_ = greeted_ || reply.result.has_value();
      last_ = !greeted_;
      if (greeted_) lines_.set_limit(limits_.request_line);
    }
  }
  server.charge(actor_.uid, begin);
  answer(id, std::move(reply));
}

void Server::Session::answer(const json::value& id, Reply reply) {
  const auto server = server_.lock();
  if (!server || !socket_.is_open()) return close();
  if (reply.job) {
    const bool started =
        server->start(std::move(reply.job), actor_.uid,
                      [self = shared_from_this(), id](auto result, Duration worked) {
                        if (const auto alive = self->server_.lock()) {
                          alive->charge_for(self->actor_.uid, worked);
                        }
                        self->answer(id, Reply{std::move(result)});
                      });
    if (started) return;
    reply.result = busy("other long requests are running");
  }
  if (reply.later) {
    return reply.later([self = shared_from_this(), id](Result<json::value> result) {
      self->answer(id, Reply{std::move(result)});
    });
  }
  working_ = false;
  if (server->stopping) last_ = true;
  if (reply.result && reply.follow) follow_ = std::move(reply.follow);
  const bool streams = static_cast<bool>(follow_);
  send(reply_line(id, reply.result));
  if (streams) read();  // only to notice that the follower is gone
}

void Server::Session::send(std::string line) {
  output_bytes_ += line.size();
  output_.push_back(std::move(line));
  if (output_.size() == 1) write();
}

void Server::Session::write() {
  expect(limits_.write_timeout);
  const auto size = output_.front().size();
  asio::async_write(socket_, asio::buffer(output_.front()),
                    [self = shared_from_this(), size](const Failure& failed, std::size_t) {
                      if (failed || !self->socket_.is_open()) return self->close();
                      self->output_bytes_ -= size;
                      self->output_.pop_front();
                      if (!self->output_.empty()) return self->write();
                      if (self->last_) return self->close();
                      self->expect(self->limits_.idle_timeout);
                      if (self->follow_) {
                        self->deadline_.cancel();
                        return;
                      }
                      self->advance();
                    });
}

void Server::Session::publish(const Event& event, const std::string& line) {
  if (!follow_ || !socket_.is_open() || !follow_(event)) return;
  if (output_bytes_ + line.size() > limits_.output) return close();
  send(line);
}

void Server::Session::finish() {
  last_ = true;
  if (!working_ && output_.empty()) close();
}

void Server::Session::close() {
  const auto self = shared_from_this();  // the server may hold the last other reference
  Failure ignored;  // NOLINT: a descriptor that does not close cannot be helped
  socket_.close(ignored);
  deadline_.cancel();
  delay_.cancel();
  const auto server = server_.lock();
  if (!server || server->sessions.erase(self) == 0) return;
  const auto account = server->accounts.find(actor_.uid);
  if (account != server->accounts.end() && account->second.clients > 0) --account->second.clients;
}

void Server::State::accept() {
  acceptor.async_accept([weak = weak_from_this()](const Failure& failed, Protocol::socket socket) {
    const auto self = weak.lock();
    if (!self || self->stopping || failed == asio::error::operation_aborted) return;
    if (!failed) {
      self->welcome(std::move(socket));
      return self->accept();
    }
    self->pause.expires_after(kAcceptPause);
    self->pause.async_wait([weak](const Failure& stopped) {
      const auto alive = weak.lock();
      if (alive && !stopped && !alive->stopping) alive->accept();
    });
  });
}

void Server::State::welcome(Protocol::socket socket) {
  auto actor = actor_of(socket.native_handle());
  if (!actor) return;
  // Budgets outlive connections, or a new one were a new budget, until users who are gone fill it.
  if (accounts.size() >= options.limits.clients * 4) {
    std::erase_if(accounts, [](const auto& pair) { return pair.second.clients == 0; });
  }
  const bool first = privileged(actor->uid);
  auto& account =
      accounts.try_emplace(actor->uid, Account{0, Budget(options.limits, first, options.now())})
          .first->second;
  if (!admits(options.limits, sessions.size(), account.clients, first)) {
    const auto line = reply_line(nullptr, busy("too many clients are connected"));
    // Fits into any socket's buffer; a client that closed already is no error.
    (void)::send(socket.native_handle(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  ++account.clients;
  const bool changes = first || (options.may_change && options.may_change(*actor));
  auto session = std::make_shared<Session>(weak_from_this(), std::move(socket), std::move(*actor),
                                           limits_of(options.limits, changes));
  sessions.insert(session);
  session->start();
}

bool Server::State::start(Job job, std::uint32_t uid, Done done) {
  if (jobs.size() + (privileged(uid) ? 0 : 1) >= options.limits.jobs) return false;
  const auto place = jobs.emplace(jobs.end());
  try {
    *place = std::jthread([this, place, job = std::move(job), done = std::move(done),
                           thread_time = options.thread_time,
                           weak = weak_from_this()](const std::stop_token& stop) mutable {
      auto result = job(stop);
      job = {};  // what it holds (a reader of the database) is gone before anybody hears of the end
      const auto worked = thread_time ? thread_time() : Duration{};
      asio::post(
          io, [weak, place, done = std::move(done), result = std::move(result), worked]() mutable {
            if (const auto self = weak.lock()) {
              self->jobs.erase(place);  // joins: the thread has nothing left to do
              done(std::move(result), worked);
            }
          });
    });
  } catch (const std::system_error&) {  // no thread is to be had: busy, not the end of the node
    jobs.erase(place);
    return false;
  }
  return true;
}

Server::Server(asio::io_context& io, ServerOptions options, Handler handler)
    : state_(std::make_shared<State>(io, std::move(options), std::move(handler))) {}

Server::~Server() {
  stop();
  for (const auto& session : std::set(state_->sessions)) session->close();
  state_->jobs.clear();  // asks each to stop, and waits for it
}

Result<void> Server::listen() {
  auto file = SocketFile::create(state_->options.path, state_->options.group);
  if (!file) return file.error();
  state_->file.emplace(std::move(*file));
  state_->acceptor.assign(Protocol(), state_->file->release_descriptor());
  state_->accept();
  return {};
}

std::uint32_t Server::socket_group() const {
  return state_->file ? state_->file->group() : 0;
}

void Server::publish(const Event& event) {
  std::string line;
  for (const auto& session : std::set(state_->sessions)) {  // a slow one removes itself meanwhile
    if (line.empty()) line = notification_line("event", to_json(event));
    session->publish(event, line);
  }
}

void Server::stop() {
  state_->stopping = true;
  Failure ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  if (state_->file) state_->file->remove();
  for (auto& job : state_->jobs) job.request_stop();
  for (const auto& session : std::set(state_->sessions)) session->finish();
}

std::size_t Server::clients() const {
  return state_->sessions.size();
}

}  // namespace timectl::control
