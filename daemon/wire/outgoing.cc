#include "daemon/wire/outgoing.h"

#include <algorithm>

#include "daemon/wire/bincode_writer.h"
#include "daemon/wire/frame.h"

namespace timectl::wire {
namespace {

constexpr std::uint32_t index_of_blocks = 7;
constexpr std::uint32_t index_of_block = 23;
constexpr std::uint32_t index_of_masternodes = 31;
constexpr std::uint32_t index_of_mempool = 41;
constexpr std::uint32_t index_of_range = 50;

using Frame = std::vector<std::uint8_t>;

template <class T, class... M>
constexpr std::uint32_t index_in(const std::variant<M...>*) {
  std::uint32_t index = 0;
  static_cast<void>(((std::is_same_v<T, M> || (++index, false)) || ...));
  return index;
}

void write_payload(Writer& writer, std::span<const Bytes> blocks) {
  std::size_t room = max_frame_size - 4 - 8;
  std::size_t fitting = 0;
  while (fitting < blocks.size() && blocks[fitting].size() <= room) {
    room -= blocks[fitting++].size();
  }
  writer.write(std::uint64_t{fitting});
  for (const Bytes block : blocks.first(fitting)) writer.write_raw(block);
}

template <class T>
std::uint32_t index_of() {
  if constexpr (std::is_same_v<T, StoredBlocksResponse>) return index_of_blocks;
  if constexpr (std::is_same_v<T, StoredBlockRangeResponse>) return index_of_range;
  if constexpr (std::is_same_v<T, StoredBlockResponse>) return index_of_block;
  if constexpr (std::is_same_v<T, EmptyMasternodesResponse>) return index_of_masternodes;
  if constexpr (std::is_same_v<T, EmptyMempoolSyncResponse>) return index_of_mempool;
  return index_in<T>(static_cast<const Message*>(nullptr));
}

template <class T>
void write_message(Writer& writer, const T& message) {
  writer.write(index_of<T>());
  if constexpr (requires { message.blocks; }) {
    write_payload(writer, message.blocks);
  } else if constexpr (std::is_same_v<T, StoredBlockResponse>) {
    writer.write_raw(message.block);
  } else if constexpr (std::is_same_v<T, EmptyMasternodesResponse> ||
                       std::is_same_v<T, EmptyMempoolSyncResponse>) {
    writer.write(std::uint64_t{0});
  } else {
    writer.write(message);
  }
}

}  // namespace

template <Sendable T>
OutgoingMessage::OutgoingMessage(const T& message) : index_(index_of<T>()) {
  frame_.resize(frame_header_size);
  Writer writer(frame_);
  write_message(writer, message);
  const auto header = frame_header(frame_.size() - frame_header_size);
  std::copy(header.begin(), header.end(), frame_.begin());
}

template OutgoingMessage::OutgoingMessage(const msg::Handshake&);
template OutgoingMessage::OutgoingMessage(const msg::Ack&);
template OutgoingMessage::OutgoingMessage(const msg::Ping&);
template OutgoingMessage::OutgoingMessage(const msg::Pong&);
template OutgoingMessage::OutgoingMessage(const msg::GetGenesisHash&);
template OutgoingMessage::OutgoingMessage(const msg::GenesisHashResponse&);
template OutgoingMessage::OutgoingMessage(const msg::GetBlockHeight&);
template OutgoingMessage::OutgoingMessage(const msg::BlockHeightResponse&);
template OutgoingMessage::OutgoingMessage(const msg::GetChainTip&);
template OutgoingMessage::OutgoingMessage(const msg::ChainTipResponse&);
template OutgoingMessage::OutgoingMessage(const msg::GetBlocks&);
template OutgoingMessage::OutgoingMessage(const msg::GetBlockRange&);
template OutgoingMessage::OutgoingMessage(const msg::BlockRequest&);
template OutgoingMessage::OutgoingMessage(const msg::GetBlockHash&);
template OutgoingMessage::OutgoingMessage(const msg::BlockHashResponse&);
template OutgoingMessage::OutgoingMessage(const msg::GetPeers&);
template OutgoingMessage::OutgoingMessage(const msg::PeerExchange&);
template OutgoingMessage::OutgoingMessage(const msg::GetMasternodes&);
template OutgoingMessage::OutgoingMessage(const EmptyMasternodesResponse&);
template OutgoingMessage::OutgoingMessage(const EmptyMempoolSyncResponse&);
template OutgoingMessage::OutgoingMessage(const StoredBlocksResponse&);
template OutgoingMessage::OutgoingMessage(const StoredBlockRangeResponse&);
template OutgoingMessage::OutgoingMessage(const StoredBlockResponse&);

}  // namespace timectl::wire
