// The part of Session that serves the chain: requests, what it hears, what it says.
#include "daemon/net/chain_requests.h"
#include "daemon/net/session.h"

namespace timectl::net {
namespace {

constexpr std::size_t kAnswerOverhead = 1024;  // of a frame round its blocks

}  // namespace

bool Session::say(wire::OutgoingMessage message) {
  return ready() && send(std::move(message), Place::back);
}

std::optional<std::uint64_t> Session::own_height() const {
  if (context_->chain == nullptr) return std::nullopt;
  return context_->chain->own_height(context_->now());
}

// Whether this was a request for the chain. Where no answer could leave now, none is made: each is
// a read of the database, and silence costs the peer nothing (protocol 7.8).
bool Session::answer_from_chain(const wire::Message& message) {
  const ChainRequest* row = chain_request(message.index());
  if (row == nullptr || context_->chain == nullptr) return false;
  const Now now = context_->now();
  if (!guard_.room(row->answer, now.mono)) return true;
  // The port answers with one block, or less than that.
  const std::size_t most = wire::max_block_size + kAnswerOverhead;
  if (row->blocks && !served_.room(most)) return true;
  auto answer = context_->chain->answer(remote_, message, now);
  if (answer) send(*std::move(answer), Place::back);
  return true;
}

void Session::tell_chain(const wire::Message& message, wire::Bytes payload) {
  if (answers_blocks(message.index())) asked_.answered();
  if (context_->chain == nullptr || closing_) return;
  context_->chain->on_message(remote_, message, payload, context_->now());
}

bool Session::takes_blocks() {
  if (!served_.overdue(context_->now().mono)) return true;
  close(EndReason::slow, "it asked for blocks and does not read them");
  return false;
}

}  // namespace timectl::net
