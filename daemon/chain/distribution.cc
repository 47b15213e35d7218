#include "daemon/chain/distribution.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <vector>

namespace timectl::chain {
namespace {

// Amounts come from outside: their sums do not fit 64 bits.
__extension__ typedef unsigned __int128 Sum;

struct Entry {
  std::string_view address;
  std::uint64_t paid = 0;
  std::uint64_t listed = 0;
};

std::uint64_t capped(Sum sum) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  return sum > most ? most : static_cast<std::uint64_t>(sum);
}

std::string_view address_of(const wire::TxOutput& output) {
  return {reinterpret_cast<const char*>(output.script_pubkey.data()), output.script_pubkey.size()};
}

// Producers write one output for each reward, in the same order.
bool pair_up(const wire::LazyList<wire::TxOutput>& outputs, const Rewards& rewards) {
  if (outputs.size() != rewards.size()) return false;
  auto reward = rewards.begin();
  for (const wire::TxOutput& output : outputs) {
    if (output.value != (*reward).amount || address_of(output) != (*reward).address) return false;
    ++reward;
  }
  return true;
}

// Sorted, not hashed: who makes a block also chooses the addresses.
std::optional<Payout::Difference> difference(std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.address < b.address; });
  for (auto entry = entries.begin(); entry != entries.end();) {
    Sum paid = 0;
    Sum listed = 0;
    const std::string_view address = entry->address;
    for (; entry != entries.end() && entry->address == address; ++entry) {
      paid += entry->paid;
      listed += entry->listed;
    }
    if (paid != listed) return Payout::Difference{capped(paid), capped(listed)};
  }
  return std::nullopt;
}

}  // namespace

std::size_t rewarded_addresses(const Rewards& rewards, std::size_t enough) {
  std::array<std::string_view, 3> seen{};
  enough = std::min(enough, seen.size());
  std::size_t count = 0;
  for (const wire::MasternodeReward& reward : rewards) {
    if (count >= enough) break;
    const auto end = seen.begin() + static_cast<std::ptrdiff_t>(count);
    if (reward.amount > 0 && std::find(seen.begin(), end, reward.address) == end) {
      seen[count++] = reward.address;
    }
  }
  return count;
}

Payout payout_of(const wire::LazyList<wire::TxOutput>& outputs, const Rewards& rewards) {
  Sum total = 0;
  for (const wire::TxOutput& output : outputs) total += output.value;
  Payout payout{capped(total), std::nullopt};
  if (pair_up(outputs, rewards)) return payout;
  std::vector<Entry> entries;
  entries.reserve(outputs.size() + rewards.size());
  for (const wire::TxOutput& output : outputs) {
    entries.push_back({address_of(output), output.value, 0});
  }
  for (const wire::MasternodeReward& reward : rewards) {
    entries.push_back({reward.address, 0, reward.amount});
  }
  payout.difference = difference(std::move(entries));
  return payout;
}

}  // namespace timectl::chain
