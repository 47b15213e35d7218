#include "tests/support/chain_answers.h"

#include <algorithm>
#include <charconv>

#include "daemon/wire/arena.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/outgoing.h"

namespace timectl::test {
namespace {

using Kind = ChainFaultKind;
using Frame = ChainAnswers::Frame;
using Blocks = std::vector<std::vector<std::uint8_t>>;

// Half of what an unsigned height can be: a signed one is negative.
constexpr std::uint64_t kHeightMax = std::uint64_t{1} << 63U;

constexpr std::pair<std::string_view, Kind> kNames[] = {
    {"wrong-parent", Kind::wrong_parent},
    {"wrong-hash", Kind::wrong_hash},
    {"gap", Kind::gap},
    {"repeat", Kind::repeat},
    {"wrong-range", Kind::wrong_range},
    {"unasked", Kind::unasked},
    {"huge", Kind::huge},
    {"height-max", Kind::height_max},
    {"empty", Kind::empty},
    {"silent", Kind::silent},
    {"half", Kind::half},
    {"two-tips", Kind::two_tips},
    {"stale", Kind::stale},
    {"slow", Kind::slow},
};

template <class Response>
Frame frame_with(const Blocks& blocks) {
  const std::vector<wire::Bytes> bytes(blocks.begin(), blocks.end());
  return wire::write_frame(Response{bytes});
}

template <class Change>
void change_header(std::vector<std::uint8_t>& bytes, Change change) {
  wire::Arena arena;
  wire::Block block = wire::decode_block(bytes, arena).value();
  change(block.header);
  bytes = wire::encode_block(block);
}

}  // namespace

std::optional<ChainFault> parse_chain_fault(std::string_view text) {
  const auto at = text.find('@');
  const auto name = text.substr(0, at);
  const auto* row = std::find_if(std::begin(kNames), std::end(kNames),
                                 [&](const auto& entry) { return entry.first == name; });
  if (row == std::end(kNames)) return std::nullopt;
  ChainFault fault{row->second, std::nullopt};
  if (at == std::string_view::npos) return fault;
  const auto digits = text.substr(at + 1);
  const auto* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, fault.height.emplace());
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return fault;
}

const ChainFault* ChainAnswers::fault(ChainFaultKind kind) const {
  const auto& faults = script_.chain_faults;
  const auto at = std::find_if(faults.begin(), faults.end(),
                               [&](const ChainFault& fault) { return fault.kind == kind; });
  return at == faults.end() ? nullptr : &*at;
}

std::optional<std::uint64_t> ChainAnswers::height() const {
  if (!script_.chain) return std::nullopt;
  if (const auto* f = fault(Kind::height_max)) return f->height.value_or(kHeightMax);
  const std::uint64_t top = script_.chain->height();
  if (const auto* f = fault(Kind::stale)) return std::min(f->height.value_or(top / 2), top);
  return top;
}

std::optional<Frame> ChainAnswers::tip() {
  if (script_.tip) return std::nullopt;  // the script's word goes first
  const auto& chain = *script_.chain;
  wire::msg::ChainTipResponse response;
  response.height = height().value();
  response.hash = chain.hash(std::min(response.height, chain.height()));
  const auto* f = fault(Kind::two_tips);
  if (f != nullptr && std::exchange(other_tip_, !other_tip_)) {
    response.height = std::min(f->height.value_or(response.height), chain.height());
    response.hash = chain.hash(response.height);
    if (!f->height) response.hash.front() ^= 0xffU;
  }
  return frame_of(response);
}

Frame ChainAnswers::hash(std::uint64_t height) const {
  wire::msg::BlockHashResponse response;
  response.height = height;
  const auto own = script_.hash_at.find(height);
  if (own != script_.hash_at.end()) {
    response.hash = own->second;
  } else if (height <= script_.chain->height()) {
    response.hash = script_.chain->hash(height);
  }
  return frame_of(response);
}

void ChainAnswers::spoil(Blocks& blocks, std::uint64_t first) const {
  for (const auto& f : script_.chain_faults) {
    const std::uint64_t at = f.height ? *f.height - first : blocks.size() / 2;
    if (at >= blocks.size()) continue;  // also where it is below the first
    const auto place = blocks.begin() + static_cast<std::ptrdiff_t>(at);
    if (f.kind == Kind::wrong_parent) {
      change_header(*place, [](auto& header) { header.previous_hash.fill(0xbb); });
    } else if (f.kind == Kind::wrong_hash) {
      change_header(*place, [](auto& header) { --header.timestamp; });
    } else if (f.kind == Kind::gap) {
      blocks.erase(place);
    } else if (f.kind == Kind::repeat) {
      const auto twice = *place;
      blocks.insert(place, twice);
    }
  }
}

// Both ends inclusive, no more than the protocol has in one answer (protocol 9.8).
Blocks ChainAnswers::blocks(std::uint64_t first, std::uint64_t last) const {
  const auto& chain = *script_.chain;
  if (fault(Kind::empty) != nullptr || first > last) return {};
  if (const auto* f = fault(Kind::wrong_range)) {
    const std::uint64_t count = last - first;
    first = f->height.value_or(first < chain.height() ? first + 1 : first - 1);
    last = first + std::min(count, wire::max_blocks_per_response);
  }
  if (first > chain.height()) return {};
  const std::uint64_t batch = fault(Kind::slow) != nullptr ? 1 : chain.batch();
  last = std::min({last, first + batch - 1, chain.height()});
  Blocks blocks;
  for (std::uint64_t height = first; height <= last; ++height) {
    blocks.push_back(chain.block(height));
  }
  spoil(blocks, first);
  return blocks;
}

std::optional<Frame> ChainAnswers::served(const wire::Message& message) const {
  if (const auto* get = std::get_if<wire::msg::GetBlocks>(&message)) {
    return frame_with<wire::StoredBlocksResponse>(blocks(get->start, get->end));
  }
  if (const auto* get = std::get_if<wire::msg::GetBlockRange>(&message)) {
    return frame_with<wire::StoredBlockRangeResponse>(blocks(get->start_height, get->end_height));
  }
  const auto* get = std::get_if<wire::msg::BlockRequest>(&message);
  if (get == nullptr) return std::nullopt;
  const Blocks one = blocks(get->height, get->height);
  if (one.empty()) return std::nullopt;
  return wire::write_frame(wire::StoredBlockResponse{one.front()});
}

std::optional<ChainAnswers::Answer> ChainAnswers::to(const wire::Message& message) {
  if (!script_.chain) return std::nullopt;
  std::optional<Frame> frame;
  if (std::holds_alternative<wire::msg::GetChainTip>(message)) {
    frame = tip();
  } else if (const auto* get = std::get_if<wire::msg::GetBlockHash>(&message)) {
    frame = hash(get->height);
  } else if (std::holds_alternative<wire::msg::GetBlockHeight>(message)) {
    wire::msg::BlockHeightResponse response;
    response.height = height().value();
    frame = frame_of(response);
  } else if (fault(Kind::silent) == nullptr) {
    frame = served(message);
    if (frame && fault(Kind::half) != nullptr) {
      frame->resize(frame->size() / 2);
      return Answer{*std::move(frame), true};
    }
  }
  if (!frame) return std::nullopt;
  return Answer{*std::move(frame), false};
}

std::optional<Frame> ChainAnswers::unasked() const {
  const auto* f = script_.chain ? fault(Kind::unasked) : nullptr;
  if (f == nullptr) return std::nullopt;
  const std::uint64_t first = f->height.value_or(1);
  return frame_with<wire::StoredBlocksResponse>(
      blocks(first, first + wire::max_blocks_per_response - 1));
}

}  // namespace timectl::test
