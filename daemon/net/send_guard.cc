#include "daemon/net/send_guard.h"

#include <algorithm>
#include <boost/mp11/algorithm.hpp>

namespace timectl::net {
namespace {

using std::chrono::seconds;

constexpr Duration kSameRange = seconds(2);

struct Row {
  std::size_t bucket;
  Rate rate;
};

template <class T>
constexpr std::size_t index_of = boost::mp11::mp_find<wire::Message, T>::value;

// Protocol 14(5). The pong's row is the limit that older nodes enforce (7.11); a keep-alive of 3 s
// stays below it. Questions about the chain have a row of their own, so that a peer's requests
// cannot use up ours: a fork search asks some 25 heights, one after the other, within few ms on a
// short way, and sync asks every masternode about each batch, of which 32 a second are possible.
// Answers with blocks, each a read of the database, are a fifth more than what such a program as
// this asks for, whose requests may come closer together than they left.
Row row_of(std::size_t index) {
  switch (index) {
    case index_of<wire::msg::Pong>:
      return {0, {6, seconds(10)}};
    case index_of<wire::msg::GetPeers>:
      return {1, {2, seconds(60)}};
    case index_of<wire::msg::GetMasternodes>:
      return {2, {2, seconds(60)}};
    case index_of<wire::msg::GetBlocks>:
      return {3, {40, seconds(10)}};
    case index_of<wire::msg::GetChainTip>:
    case index_of<wire::msg::GetBlockHash>:
    case index_of<wire::msg::GetBlockHeight>:
    case index_of<wire::msg::GetBlockRange>:
    case index_of<wire::msg::BlockRequest>:
      return {5, {120, seconds(2)}};
    case index_of<wire::msg::BlockHashResponse>:  // such a program as this asks so often
      return {7, {120, seconds(2)}};
    case index_of<wire::msg::BlocksResponse>:
    case index_of<wire::msg::BlockRangeResponse>:
    case index_of<wire::msg::BlockResponse>:
      return {6, {48, seconds(10)}};
    default:
      return {4, {20, seconds(1)}};
  }
}

}  // namespace

bool SendGuard::repeats(const wire::OutgoingMessage& message, Instant now) {
  std::erase_if(ranges_, [&](const Range& range) { return now - range.at >= kSameRange; });
  constexpr std::size_t range_at = 8;  // behind the frame's length and the message's index
  const auto& frame = message.frame();
  Range range{{}, now};
  TIMECTL_CHECK(frame.size() == range_at + range.bytes.size());
  std::copy(frame.begin() + range_at, frame.end(), range.bytes.begin());
  const bool known = std::any_of(ranges_.begin(), ranges_.end(),
                                 [&](const Range& other) { return other.bytes == range.bytes; });
  if (!known) ranges_.push_back(range);
  return known;
}

bool SendGuard::room(std::size_t index, Instant now) const {
  const Row row = row_of(index);
  return buckets_.at(row.bucket).available(row.rate, now);
}

bool SendGuard::allows(const wire::OutgoingMessage& message, Instant now) {
  const Row row = row_of(message.index());
  if (!buckets_.at(row.bucket).available(row.rate, now)) return false;
  if (message.index() == index_of<wire::msg::GetBlocks> && repeats(message, now)) return false;
  return buckets_.at(row.bucket).take(row.rate, now);
}

}  // namespace timectl::net
