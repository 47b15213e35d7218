#include "tests/support/scripted_peer.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <stdexcept>

#include "daemon/wire/codec.h"
#include "daemon/wire/frame.h"
#include "tests/support/scripted_conversation.h"

namespace timectl::test {

namespace asio = boost::asio;

void ScriptedPeer::State::begin(net::Fd fd, const IpAddress& remote, Direction direction,
                                bool connecting) {
  if (script.evict_on_second && direction == Direction::in) {
    const auto before = living;
    for (const auto& other : before) {
      if (other->remote() == remote) other->finish();
    }
  }
  // As the network's nodes do (protocol 1.4): without TCP_NODELAY each handshake waits 40 ms.
  net::set_peer_options(fd.get(), std::chrono::seconds(45));
  Seen& entry = seen.emplace_back();
  entry.remote = remote;
  note((direction == Direction::in ? "accept " : "dial ") + remote.to_string());
  auto conversation =
      std::make_shared<Conversation>(shared_from_this(), entry, std::move(fd), direction);
  living.push_back(conversation);
  asio::co_spawn(io, Conversation::live(conversation, connecting), asio::detached);
}

void ScriptedPeer::State::prepare() {
  const auto& wanted = script.generated_chain;
  if (!wanted || script.chain) return;
  const auto huge =
      std::find_if(script.chain_faults.begin(), script.chain_faults.end(),
                   [](const ChainFault& fault) { return fault.kind == ChainFaultKind::huge; });
  script.chain = huge == script.chain_faults.end()
                     ? ServedChain::generated(params.network, wanted->seed, wanted->count)
                     : ServedChain::huge(params.network, wanted->seed, wanted->count, huge->height);
}

ScriptedPeer::ScriptedPeer(asio::io_context& io, const net::Endpoint& at, Script script,
                           timectl::Network network)
    : state_(std::make_shared<State>(io, std::move(script), network)) {
  const std::weak_ptr<State> weak = state_;
  net::Listener::Hooks hooks;
  hooks.connection = [weak](net::Fd fd, const net::Endpoint& remote) {
    if (const auto self = weak.lock()) self->begin(std::move(fd), remote.ip, Direction::in, false);
  };
  hooks.exhausted = [] {};
  state_->listener = std::make_shared<net::Listener>(io, std::move(hooks));
  const auto opened = state_->listener->open(at);
  if (!opened) throw std::runtime_error(opened.error().message + ": " + opened.error().because);
  state_->at = state_->listener->local();
}

ScriptedPeer::~ScriptedPeer() {
  stop_listening();
  const auto living = state_->living;
  for (const auto& conversation : living) conversation->stop("the peer is gone");
  state_->living.clear();  // they hold the state
}

void ScriptedPeer::stop_listening() {
  state_->listener->close();
}

std::uint16_t ScriptedPeer::port() const {
  return state_->at.port;
}

void ScriptedPeer::set_script(Script script) {
  state_->script = std::move(script);
  state_->prepare();
}

void ScriptedPeer::dial(const net::Endpoint& to) {
  net::Attempt attempt = net::dial(to, state_->at.ip);
  if (!attempt.fd.open() || (attempt.error != 0 && attempt.error != EINPROGRESS)) {
    throw std::runtime_error("the scripted peer cannot dial");
  }
  state_->begin(std::move(attempt.fd), to.ip, Direction::out, true);
}

void ScriptedPeer::send_raw(std::span<const std::uint8_t> bytes) {
  for (const auto& conversation : state_->living) conversation->write(bytes);
}

void ScriptedPeer::send(const wire::Message& message) {
  send_raw(frame_of(message));
}

void ScriptedPeer::close_all() {
  for (const auto& conversation : state_->living) conversation->finish();
}

void ScriptedPeer::reset_all() {
  for (const auto& conversation : state_->living) conversation->reset();
}

void ScriptedPeer::listen(std::function<void(const wire::Message&)> heard) {
  state_->heard = std::move(heard);
}

const std::list<ScriptedPeer::Seen>& ScriptedPeer::seen() const {
  return state_->seen;
}

const ScriptedPeer::Seen& ScriptedPeer::last() const {
  return state_->seen.back();
}

std::size_t ScriptedPeer::living() const {
  return state_->living.size();
}

bool ScriptedPeer::Seen::has(std::string_view message) const {
  return count(message) > 0;
}

std::size_t ScriptedPeer::Seen::count(std::string_view message) const {
  return static_cast<std::size_t>(std::count(messages.begin(), messages.end(), message));
}

std::vector<std::uint8_t> frame_of(const wire::Message& message) {
  const auto payload = wire::encode(message);
  const auto header = wire::frame_header(payload.size());
  std::vector<std::uint8_t> frame(header.begin(), header.end());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

bool run_until(asio::io_context& io, const std::function<bool()>& done,
               std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  io.restart();
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    if (io.stopped()) io.restart();
    (void)io.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace timectl::test
