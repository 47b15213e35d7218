#pragma once
// A stored chain of hashes and times, without blocks: what the coordinator sees of one.

#include <optional>
#include <vector>

#include "daemon/chain/chain_view.h"
#include "daemon/wire/network_params.h"

namespace timectl::chain {

inline wire::Hash32 hash_of(Height height, std::uint8_t branch = 0) {
  wire::Hash32 hash{};
  hash[0] = 1;
  hash[1] = branch;
  for (std::size_t i = 0; i < 8; ++i) hash[24 + i] = static_cast<std::uint8_t>(height >> (8 * i));
  return hash;
}

// A chain of hashes.
class ToyChain final : public ChainView {
 public:
  explicit ToyChain(Height height) : height_(height) {}
  [[nodiscard]] ChainTip tip() const override { return *at(height_); }
  [[nodiscard]] std::optional<ChainTip> at(Height height) const override {
    if (height > height_) return std::nullopt;
    return ChainTip{{height, hash_of(height), 0}, time_of(height)};
  }
  [[nodiscard]] std::optional<wire::Hash32> hash_at(Height height) const override {
    return height > height_ ? std::nullopt : std::optional(hash_of(height));
  }
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> bodies(Height, Height,
                                                              std::size_t) const override {
    return {};
  }
  static std::int64_t time_of(Height height) {
    return wire::params_of(wire::Network::testnet).genesis_time +
           static_cast<std::int64_t>(height) * wire::block_seconds;
  }

 private:
  Height height_;
};

}  // namespace timectl::chain
