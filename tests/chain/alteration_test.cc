// What verification notices of a block that was changed on its way: every bit of a valid block is
// flipped. The fields of which no change is noticed are listed here, because whoever shows or
// stores them must know: no rule of the protocol covers them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "daemon/chain/verify.h"
#include "daemon/core/reflect.h"
#include "daemon/wire/codec.h"
#include "tests/support/chain_maker.h"

namespace timectl::chain {
namespace {

using test::BlockDraft;
using test::ChainMaker;
using test::ChainOptions;

using Fields = std::set<std::string>;

// Outside the block's hash and in no rule.
const Fields unseen{"attestation_root",
                    "masternode_tiers",
                    "vrf_proof",  // its last 16 bytes
                    "header.liveness_recovery",
                    "encrypted_memo",  // in the id of no transaction
                    "consensus_participants_bitmap",
                    "liveness_recovery"};
// Outside the hash, in a rule that only warns.
const Fields warned{"vrf_proof", "producer_signature", "total_fees"};

Fields differences(const wire::Block& a, const wire::Block& b) {
  Fields fields;
  boost::mp11::mp_for_each<
      boost::describe::describe_members<wire::BlockHeader, boost::describe::mod_public>>(
      [&](auto member) {
        if (a.header.*member.pointer == b.header.*member.pointer) return;
        const std::string name = member.name;
        fields.insert(name == "liveness_recovery" ? "header." + name : name);
      });
  if (!(a.masternode_rewards == b.masternode_rewards)) fields.insert("masternode_rewards");
  if (!(a.time_attestations == b.time_attestations)) fields.insert("time_attestations");
  if (!(a.consensus_participants_bitmap == b.consensus_participants_bitmap)) {
    fields.insert("consensus_participants_bitmap");
  }
  if (a.liveness_recovery != b.liveness_recovery) fields.insert("liveness_recovery");
  if (a.transactions.size() != b.transactions.size()) {
    fields.insert("transactions");
    return fields;
  }
  auto other = b.transactions.begin();
  for (wire::Transaction tx : a.transactions) {
    const bool memo = tx.encrypted_memo != (*other).encrypted_memo;
    tx.encrypted_memo = (*other).encrypted_memo;
    if (memo) fields.insert("encrypted_memo");
    if (!(tx == *other)) fields.insert("transactions");
    ++other;
  }
  return fields;
}

bool is_subset(const Fields& part, const Fields& whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

class Alteration : public testing::Test {
 protected:
  Alteration() {
    for (const auto& block : maker_.next(20)) EXPECT_FALSE(block.empty());
    at_.network = wire::Network::testnet;
    at_.parent = maker_.tip();
    at_.now = maker_.time_of(22);
    at_.tip_height = 21;
    at_.keys = &maker_.keys();
    BlockDraft draft = maker_.draft();
    draft.transactions[2].memo = std::vector<std::uint8_t>(20, 'm');
    bytes_ = maker_.seal(draft);
    block_ = wire::decode_block(bytes_, arena_).value();
    const Verdict verdict = verify(at_, block_);
    EXPECT_TRUE(verdict.findings.empty());
    EXPECT_EQ(verdict.signature, SignatureState::valid);
    hash_ = verdict.hash;
  }

  // Calls see(altered block, verdict) for each altered encoding that still decodes.
  template <class See>
  void flip_every_bit(See see) {
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      for (const unsigned mask : {1U, 2U, 4U, 8U, 16U, 32U, 64U, 128U, 255U}) {
        auto altered = bytes_;
        altered[i] ^= static_cast<std::uint8_t>(mask);
        wire::Arena arena;
        const auto decoded = wire::decode_block(altered, arena);
        ++flips_;
        if (!decoded) {
          ++undecodable_;
          continue;
        }
        SCOPED_TRACE("byte " + std::to_string(i) + " mask " + std::to_string(mask));
        see(*decoded, verify(at_, *decoded));
      }
    }
    EXPECT_EQ(flips_, 9 * bytes_.size());
    EXPECT_GT(undecodable_, 0U);
  }

  ChainMaker maker_{ChainOptions{.spends = 1}};
  Circumstances at_;
  std::vector<std::uint8_t> bytes_;
  wire::Arena arena_;
  wire::Block block_;
  wire::Hash32 hash_{};
  std::size_t flips_ = 0;
  std::size_t undecodable_ = 0;
};

TEST_F(Alteration, OfAnyByteIsNoticedExceptInTheFieldsThatNoRuleCovers) {
  at_.announced_hash = hash_;
  Fields silent;
  Fields mild;
  std::size_t refused = 0;
  flip_every_bit([&](const wire::Block& altered, const Verdict& verdict) {
    const Fields changed = differences(block_, altered);
    ASSERT_FALSE(changed.empty());
    if (!verdict.accepted()) {
      ++refused;
    } else if (verdict.findings.empty()) {
      EXPECT_TRUE(is_subset(changed, unseen)) << *changed.begin();
      silent.insert(changed.begin(), changed.end());
    } else {
      EXPECT_TRUE(is_subset(changed, warned)) << *changed.begin();
      mild.insert(changed.begin(), changed.end());
    }
  });
  EXPECT_GT(refused, flips_ / 4);
  // The lists are not longer than the truth.
  EXPECT_EQ(silent, unseen);
  EXPECT_EQ(mild, warned);
}

// Nobody announced the hash, and the key of the leader is not known: an altered header can pass,
// but then the next block does not stand on it.
TEST_F(Alteration, OfTheHeaderThatPassesIsFoundByTheNextBlock) {
  at_.keys = nullptr;
  ChainMaker rest({.spends = 1}, parent_from(block_, hash_));
  const auto successor = rest.next();
  wire::Arena arena;
  const wire::Block next = wire::decode_block(successor, arena).value();
  Fields late;
  flip_every_bit([&](const wire::Block& altered, const Verdict& verdict) {
    if (!verdict.accepted()) return;
    Circumstances after = at_;
    after.parent = parent_from(altered, verdict.hash);
    const Fields changed = differences(block_, altered);
    if (verdict.hash == hash_) {
      EXPECT_TRUE(verify(after, next).accepted());
      return;
    }
    EXPECT_TRUE(verify(after, next).has(Reason::wrong_parent));
    late.insert(changed.begin(), changed.end());
  });
  EXPECT_EQ(late, (Fields{"version", "timestamp", "leader", "vrf_output",
                          "active_masternodes_bitmap", "treasury_balance"}));
}

TEST_F(Alteration, TimeAttestationsAreCoveredByNothing) {
  std::vector<wire::TimeAttestation> made_up(1);
  made_up[0].masternode_address = "203.0.113.9";
  wire::Block altered = block_;
  altered.time_attestations = made_up;
  const auto bytes = wire::encode_block(altered);
  wire::Arena arena;
  const wire::Block decoded = wire::decode_block(bytes, arena).value();
  EXPECT_EQ(decoded.time_attestations.size(), 1U);
  at_.announced_hash = hash_;
  EXPECT_TRUE(verify(at_, decoded).findings.empty());
}

// The hash is over the fields one after the other without their lengths, so the end of the leader
// can become the beginning of the VRF output, and so on to the bitmap. The score's rule forbids
// that, but holds for a block with a proof only, and the proof is outside the hash.
TEST_F(Alteration, OfWhereTheLeaderEndsIsNotNoticedOnceTheProofIsGone) {
  const wire::BlockHeader& header = block_.header;
  wire::Block altered = block_;
  altered.header.leader = header.leader.substr(0, header.leader.size() - 1);
  std::vector<std::uint8_t> moved{static_cast<std::uint8_t>(header.leader.back())};
  moved.insert(moved.end(), header.vrf_output.begin(), header.vrf_output.end());
  for (unsigned i = 0; i < 8; ++i) {
    moved.push_back(static_cast<std::uint8_t>(header.vrf_score >> (8 * i)));
  }
  for (const std::uint8_t byte : header.active_masternodes_bitmap) moved.push_back(byte);
  std::copy_n(moved.begin(), 32, altered.header.vrf_output.begin());
  altered.header.vrf_score = 0;
  for (unsigned i = 0; i < 8; ++i) {
    altered.header.vrf_score |= std::uint64_t{moved[32 + i]} << (8 * i);
  }
  altered.header.active_masternodes_bitmap = wire::Bytes(moved.data() + 40, moved.size() - 40);
  EXPECT_EQ(wire::block_hash(altered.header), hash_);
  at_.announced_hash = hash_;
  altered.raw = {};
  EXPECT_TRUE(verify(at_, altered).has(Reason::vrf_score));
  altered.header.vrf_proof = {};
  const Verdict verdict = verify(at_, altered);
  EXPECT_TRUE(verdict.findings.empty());
  EXPECT_EQ(verdict.signature, SignatureState::unknown_key);  // there is no such leader
}

}  // namespace
}  // namespace timectl::chain
