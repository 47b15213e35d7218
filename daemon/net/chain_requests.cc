#include "daemon/net/chain_requests.h"

#include <algorithm>
#include <boost/mp11/algorithm.hpp>

namespace timectl::net {
namespace {

template <class T>
constexpr std::size_t index_of = boost::mp11::mp_find<wire::Message, T>::value;

constexpr ChainRequest kRequests[] = {
    {index_of<wire::msg::GetBlockHeight>, index_of<wire::msg::BlockHeightResponse>, false},
    {index_of<wire::msg::GetChainTip>, index_of<wire::msg::ChainTipResponse>, false},
    {index_of<wire::msg::GetBlockHash>, index_of<wire::msg::BlockHashResponse>, false},
    {index_of<wire::msg::GetBlocks>, index_of<wire::msg::BlocksResponse>, true},
    {index_of<wire::msg::GetBlockRange>, index_of<wire::msg::BlockRangeResponse>, true},
    {index_of<wire::msg::BlockRequest>, index_of<wire::msg::BlockResponse>, true},
};

}  // namespace

const ChainRequest* chain_request(std::size_t index) {
  const auto* row = std::find_if(std::begin(kRequests), std::end(kRequests),
                                 [&](const ChainRequest& r) { return r.request == index; });
  return row == std::end(kRequests) ? nullptr : row;
}

bool has_blocks(std::size_t index) {
  return std::any_of(std::begin(kRequests), std::end(kRequests),
                     [&](const ChainRequest& row) { return row.blocks && row.answer == index; });
}

bool asks_for_blocks(std::size_t index) {
  return index == index_of<wire::msg::GetBlocks>;
}

bool answers_blocks(std::size_t index) {
  return index == index_of<wire::msg::BlocksResponse>;
}

}  // namespace timectl::net
