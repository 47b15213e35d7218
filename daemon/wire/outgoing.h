// The messages this program may send, and no others. A wrong message makes other nodes change their
// UTXO set, lock collaterals or ban us for good (protocol 7.33 and 14.4), so the network code takes
// only OutgoingMessage, and one can be made only of the structs listed here: anything else does not
// compile. Blocks are sent again from their stored bytes, never from a decoded and encoded copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "daemon/wire/bytes.h"
#include "daemon/wire/messages.h"

namespace timectl::wire {

// MasternodesResponse and MempoolSyncResponse are answered empty: an entry would be an invention.
struct EmptyMasternodesResponse {};
struct EmptyMempoolSyncResponse {};

// Stored blocks, each in its encoded bytes.
struct StoredBlocksResponse {
  std::span<const Bytes> blocks;
};
struct StoredBlockRangeResponse {
  std::span<const Bytes> blocks;
};
struct StoredBlockResponse {
  Bytes block;
};

template <class T, class... Allowed>
inline constexpr bool is_one_of = (std::is_same_v<T, Allowed> || ...);

template <class T>
concept Sendable =
    is_one_of<T, msg::Handshake, msg::Ack, msg::Ping, msg::Pong, msg::GetGenesisHash,
              msg::GenesisHashResponse, msg::GetBlockHeight, msg::BlockHeightResponse,
              msg::GetChainTip, msg::ChainTipResponse, msg::GetBlocks, msg::GetBlockRange,
              msg::BlockRequest, msg::GetBlockHash, msg::BlockHashResponse, msg::GetPeers,
              msg::PeerExchange, msg::GetMasternodes, EmptyMasternodesResponse,
              EmptyMempoolSyncResponse, StoredBlocksResponse, StoredBlockRangeResponse,
              StoredBlockResponse>;

class OutgoingMessage;

// Takes the frame out of the message, without a copy.
[[nodiscard]] std::vector<std::uint8_t> write_frame(OutgoingMessage message);

class OutgoingMessage {
 public:
  // Encodes at once, so what was borrowed by `message` need not live longer. A list of blocks is
  // cut from its end to the frame limit, as the reference node does; a single block is at most
  // max_block_size and always fits.
  template <Sendable T>
  OutgoingMessage(const T& message);  // implicit: send(Ping{...}) reads best

  // The message's index on the wire: for the send guard and for logs.
  [[nodiscard]] std::size_t index() const { return index_; }
  // Header and payload, ready for the socket.
  [[nodiscard]] const std::vector<std::uint8_t>& frame() const { return frame_; }

 private:
  friend std::vector<std::uint8_t> write_frame(OutgoingMessage message);

  std::size_t index_ = 0;
  std::vector<std::uint8_t> frame_;
};

inline std::vector<std::uint8_t> write_frame(OutgoingMessage message) {
  return std::move(message.frame_);
}

}  // namespace timectl::wire
