#include "daemon/net/answers.h"

namespace timectl::net {
namespace {

using Answer = std::optional<wire::OutgoingMessage>;

struct Answers {
  const wire::NetworkParams& network;

  Answer operator()(const wire::msg::GetGenesisHash&) const {
    wire::msg::GenesisHashResponse response;
    response.hash = network.genesis_hash;
    return response;
  }
  Answer operator()(const wire::msg::GetBlockHash& request) const {
    wire::msg::BlockHashResponse response;
    response.height = request.height;
    if (request.height == 0) response.hash = network.genesis_hash;
    return response;
  }
  // Empty also for the range (0, 0): a block is served once there is a chain that was verified.
  Answer operator()(const wire::msg::GetBlocks&) const { return wire::StoredBlocksResponse{}; }
  Answer operator()(const wire::msg::GetBlockRange&) const {
    return wire::StoredBlockRangeResponse{};
  }
  Answer operator()(const wire::msg::GetPeers&) const { return wire::msg::PeerExchange{}; }
  Answer operator()(const wire::msg::GetMasternodes&) const {
    return wire::EmptyMasternodesResponse{};
  }
  Answer operator()(const wire::msg::MempoolSyncRequest&) const {
    return wire::EmptyMempoolSyncResponse{};
  }
  template <class T>
  Answer operator()(const T&) const {
    return std::nullopt;
  }
};

}  // namespace

std::optional<wire::OutgoingMessage> answer_to(const wire::Message& message,
                                               const wire::NetworkParams& network) {
  return std::visit(Answers{network}, message);
}

}  // namespace timectl::net
