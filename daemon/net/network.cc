#include "daemon/net/network.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <deque>
#include <map>
#include <set>
#include <type_traits>
#include <utility>

#include "daemon/net/listener.h"
#include "daemon/net/own_addresses.h"
#include "daemon/net/session.h"

namespace timectl::net {
namespace {

// The Node's clock is read again before each tick; nothing is due more finely than this.
constexpr Duration kLeastWait = std::chrono::milliseconds(1);
constexpr Duration kTroubleEvery = std::chrono::minutes(1);
constexpr Duration kTroubleKept = std::chrono::hours(1);  // for a diagnosis
// What a renewed lease or a restarted interface takes; dialled anew within 15 s (FT-N29).
constexpr Duration kAddressSettles = std::chrono::seconds(5);

wire::Network on_wire(timectl::Network network) {
  return network == timectl::Network::mainnet ? wire::Network::mainnet : wire::Network::testnet;
}

}  // namespace

struct Network::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& io_context, NetworkOptions network_options, Node& the_node,
        const Whitelist& list, std::function<Now()> clock, NetworkSinks network_sinks)
      : io(io_context),
        options(std::move(network_options)),
        node(the_node),
        whitelist(list),
        now(std::move(clock)),
        sinks(std::move(network_sinks)),
        timer(io_context),
        address_timer(io_context),
        context(std::make_shared<SessionContext>(
            SessionContext{io_context, the_node, now, wire::params_of(on_wire(options.network)),
                           options.policy, options.listen, options.port, [this] { run_commands(); },
                           [this](ConnectionId id) { forget(id); }, [this] { relieve_buffers(); },
                           [this](const IpAddress& ip) { settle(ip); }, options.chain,
                           ServedPool(options.served_blocks)})) {}

  Result<void> start();
  void stop(std::function<void()> when_stopped);
  void run_commands();
  void stop_listening();
  void schedule();
  void on_connection(Fd fd, const Endpoint& remote);
  void on_exhausted();
  void on_own_address_lost();
  void end_orphans();
  void forget(ConnectionId id);
  void relieve_buffers();
  void report_stopped();
  void settle(IpAddress ip);
  [[nodiscard]] Session* ready_session(const IpAddress& ip) const;

  void execute(Dial command);
  void execute(Proceed command);
  void execute(const Close& command);
  void execute(SendPing command);
  void execute(Ask command);
  void execute(SetUserTimeout command);
  void execute(const Record& command) { sinks.event(command.event); }
  void execute(const RecordSession& command) { sinks.session(command.session); }
  void execute(const Remember& command) { sinks.memory(command.memory); }
  [[nodiscard]] Session* find(ConnectionId id) const;

  boost::asio::io_context& io;
  NetworkOptions options;
  Node& node;
  const Whitelist& whitelist;
  std::function<Now()> now;
  NetworkSinks sinks;
  boost::asio::steady_timer timer;
  boost::asio::steady_timer address_timer;
  Instant timer_at = Instant::max();
  std::shared_ptr<SessionContext> context;
  std::shared_ptr<Listener> listener;
  std::shared_ptr<OwnAddresses> own_addresses;
  std::map<ConnectionId, std::shared_ptr<Session>> sessions;
  std::set<IpAddress> told_ready;  // the addresses that the chain knows as ready
  std::function<void()> stopped;
  std::optional<Instant> last_trouble;
  std::size_t turned_away = 0;                                 // since the last line about it
  std::deque<std::pair<Instant, std::uint64_t>> refused = {};  // by minute, of the last hour
  bool address_settling = false;
  bool executing = false;
  bool stopping = false;
};

Result<void> Network::State::start() {
  if (options.open) {
    // Weak: the listener may have a completion in the queue when the Network goes.
    const auto weak = weak_from_this();
    listener = std::make_shared<Listener>(
        io, Listener::Hooks{[weak](Fd fd, const Endpoint& remote) {
                              if (const auto self = weak.lock()) {
                                self->on_connection(std::move(fd), remote);
                              }
                            },
                            [weak] {
                              if (const auto self = weak.lock()) self->on_exhausted();
                            }});
    const auto opened = listener->open({options.listen, options.port});
    if (!opened) return opened.error();
    context->port = listener->local().port;
    own_addresses = std::make_shared<OwnAddresses>(io, [weak] {
      if (const auto self = weak.lock()) self->on_own_address_lost();
    });
    own_addresses->watch();
  }
  node.start(now());
  run_commands();
  return {};
}

void Network::State::stop(std::function<void()> when_stopped) {
  TIMECTL_CHECK(!stopping);
  stopping = true;
  stopped = std::move(when_stopped);
  stop_listening();
  node.stop(now());
  run_commands();
  timer.cancel();
  address_timer.cancel();
  report_stopped();
}

void Network::State::stop_listening() {
  if (listener) listener->close();
  if (own_addresses) own_addresses->stop();
}

// Posted, so that whoever is told may destroy the Network.
void Network::State::report_stopped() {
  if (!stopping || !sessions.empty() || !stopped) return;
  boost::asio::post(io, std::exchange(stopped, nullptr));
}

void Network::State::run_commands() {
  if (executing) return;  // a command's own consequences are taken by the loop below
  executing = true;
  // Also where a command throws (no memory): the next event must find the door open.
  const std::unique_ptr<bool, void (*)(bool*)> open_again(&executing, [](bool* b) { *b = false; });
  for (auto commands = node.take_commands(); !commands.empty(); commands = node.take_commands()) {
    for (const auto& command : commands) {
      std::visit([this](const auto& c) { execute(c); }, command);
    }
  }
  schedule();
}

void Network::State::schedule() {
  if (stopping) return;
  const Instant next = node.next_tick();
  if (next == timer_at) return;
  timer_at = next;
  if (next == Instant::max()) {
    timer.cancel();
    return;
  }
  timer.expires_after(std::max(next - now().mono, kLeastWait));
  timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->stopping) return;
    self->timer_at = Instant::max();
    self->node.tick(self->now());
    self->run_commands();
  });
}

Session* Network::State::find(ConnectionId id) const {
  const auto it = sessions.find(id);
  return it == sessions.end() ? nullptr : it->second.get();
}

void Network::State::execute(Dial command) {
  auto session = std::make_shared<Session>(context, command.connection, Direction::out, command.ip);
  sessions.emplace(command.connection, session);
  session->dial();
}

void Network::State::execute(Proceed command) {
  if (Session* session = find(command.connection)) session->proceed();
}

void Network::State::execute(const Close& command) {
  // A copy holds it: closing may end it at once, which takes it out of the map.
  const auto it = sessions.find(command.connection);
  if (it == sessions.end()) return;
  const auto session = it->second;
  session->close(command.reason, command.detail);
  settle(session->remote());
}

void Network::State::execute(SendPing command) {
  if (Session* session = find(command.connection)) session->ping(command.nonce);
}

void Network::State::execute(SetUserTimeout command) {
  if (Session* session = find(command.connection)) session->user_timeout(command.timeout);
}

void Network::State::execute(Ask command) {
  if (Session* session = find(command.connection)) session->ask(command.question);
}

void Network::State::on_connection(Fd fd, const Endpoint& remote) {
  if (stopping) return;
  const ConnectionId id = node.next_connection();
  const Endpoint local = local_endpoint(fd.get());
  const Admission admission = node.on_inbound(id, remote.ip, local.ip, now());
  if (admission.verdict != Admit::reject) {
    auto session = std::make_shared<Session>(context, id, Direction::in, remote.ip);
    sessions.emplace(id, session);
    if (admission.verdict == Admit::hold) {
      session->hold(std::move(fd));
    } else {
      session->accepted(std::move(fd));
    }
    const auto& policy = options.policy.transport;
    const auto trust = whitelist.contains(remote.ip) ? HandshakeGate::Trust::masternode
                                                     : HandshakeGate::Trust::regular;
    const auto victim = context->gate.enter(id, remote.ip, trust, policy.tls_handshakes_waiting,
                                            policy.tls_handshakes_at_once);
    if (victim) {
      execute(Close{*victim, EndReason::evicted, "too many connections are in their handshake"});
    }
  }
  fd.reset();  // a rejected one is closed before its first byte
  run_commands();
}

void Network::State::on_exhausted() {
  ++turned_away;
  const Instant at = now().mono;
  if (refused.empty() || at - refused.back().first >= kTroubleEvery) refused.emplace_back(at, 0);
  ++refused.back().second;
  while (at - refused.front().first > kTroubleKept) refused.pop_front();
  if (last_trouble && at - *last_trouble < kTroubleEvery) return;
  last_trouble = at;
  sinks.trouble("no file descriptor is left: " + std::to_string(std::exchange(turned_away, 0)) +
                " connections turned away; raise LimitNOFILE (ulimit -n)");
}

// A renewed lease or a moved link may bring the address back, and TCP survives that: a second look
// after a moment decides. Ending the session at once would leave a dead slot over there, which
// refuses us for longer than the loss lasted.
void Network::State::on_own_address_lost() {
  if (std::exchange(address_settling, true)) return;
  address_timer.expires_after(kAddressSettles);
  address_timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!self) return;
    self->address_settling = false;
    if (!error && !self->stopping) self->end_orphans();
  });
}

void Network::State::end_orphans() {
  const auto all = sessions;  // ending one may take it out of the map at once
  for (const auto& [id, session] : all) session->own_addresses_changed();
}

void Network::State::forget(ConnectionId id) {
  sessions.erase(id);
  report_stopped();
}

// The chain knows addresses, not connections: where a new connection of a peer takes the place of
// an old one, nothing has changed for it. By value: what is told may end the session that it is of.
void Network::State::settle(IpAddress ip) {
  if (options.chain == nullptr) return;
  const bool ready = node.connected(ip);
  if (ready && told_ready.insert(ip).second) {
    options.chain->on_ready(ip, now());
  } else if (!ready && told_ready.erase(ip) > 0) {
    options.chain->on_gone(ip, now());
  }
}

Session* Network::State::ready_session(const IpAddress& ip) const {
  const auto it = std::find_if(sessions.begin(), sessions.end(), [&](const auto& entry) {
    return entry.second->remote() == ip && entry.second->ready();
  });
  return it == sessions.end() ? nullptr : it->second.get();
}

// Over the budget of all peers together, the one that holds most goes: honest ones hold little.
void Network::State::relieve_buffers() {
  // Strangers first: they choose what they hold, and must not choose which masternode goes.
  const auto rank = [this](const auto& entry) {
    return std::pair(!whitelist.contains(entry.second->remote()) && entry.second->buffered() > 0,
                     entry.second->buffered());
  };
  const auto most =
      std::max_element(sessions.begin(), sessions.end(),
                       [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  if (most == sessions.end()) return;
  execute(Close{most->first, EndReason::flood,
                "all receive buffers are full and it holds the largest: " +
                    std::to_string(most->second->buffered()) + " bytes"});
}

Network::Network(boost::asio::io_context& io, NetworkOptions options, Node& node,
                 const Whitelist& whitelist, std::function<Now()> now, NetworkSinks sinks)
    : state_(std::make_shared<State>(io, std::move(options), node, whitelist, std::move(now),
                                     std::move(sinks))) {}

Network::~Network() {
  state_->stopping = true;
  state_->context->detached = true;
  state_->timer.cancel();
  state_->stop_listening();
  for (const auto& [id, session] : state_->sessions) session->drop();
}

Result<void> Network::start() {
  return state_->start();
}

void Network::stop(std::function<void()> stopped) {
  state_->stop(std::move(stopped));
}

void Network::run_commands() {
  state_->run_commands();
}

bool Network::send(const IpAddress& peer, wire::OutgoingMessage message) {
  Session* session = state_->ready_session(peer);
  return session != nullptr && session->say(std::move(message));
}

void Network::set_policy(const Policy& policy) {
  state_->options.policy = policy;
  state_->context->policy = policy;
  for (const auto& [id, session] : state_->sessions) session->policy_changed();
  state_->node.on_policy_changed(policy, state_->now());
  state_->run_commands();
}

std::uint64_t Network::refused_for_descriptors() const {
  const Instant at = state_->now().mono;
  std::uint64_t count = 0;
  for (const auto& [since, refused] : state_->refused) {
    if (at - since <= kTroubleKept) count += refused;
  }
  return count;
}

IpAddress Network::listen_address() const {
  return state_->options.listen;
}

std::uint16_t Network::port() const {
  return state_->context->port;
}

std::size_t Network::connections() const {
  return state_->sessions.size();
}

std::size_t Network::receive_buffered() const {
  return state_->context->receive_buffered;
}

}  // namespace timectl::net
