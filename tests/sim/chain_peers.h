#pragma once
// ChainPeer: a peer of the simulation of sync, honest or wrong in one of the ways that the
// requirements name. The world asks it what a real peer is asked (its tip, the hash at a height,
// blocks); it answers from made chains, or not at all.

#include <boost/describe/enum.hpp>
#include <optional>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/random.h"
#include "tests/sim/chain_made.h"
#include "tests/sim/chain_store.h"

namespace timectl::sim {

using namespace std::chrono_literals;

enum class Manner : std::uint8_t {
  honest,
  lagging,      // some blocks below the network, and honest about it
  stalling,     // tips and hashes, never blocks
  half,         // answers requests for blocks half of the time
  dripping,     // one block, just before the time is over
  shorting,     // one block an answer, at once
  empty,        // empty answers
  gaps,         // other heights than asked for
  bad,          // a block that breaks a rule here and there
  altered,      // a block here and there whose hash is another one
  fabricating,  // a valid chain of its own
  two_tips,     // its own and the network's, in turn
  implausible,  // heights that cannot be
  silent,       // nothing but pings
  unsteady,     // connects and leaves
  shouting,     // honest, and blocks that nobody asked for
  lying,        // the network's tip and hashes, with made up blocks below
  zero_hash,    // the network's height with a hash of zeros
  mirror,       // another node of ours
};
BOOST_DESCRIBE_ENUM(Manner, honest, lagging, stalling, half, dripping, shorting, empty, gaps, bad,
                    altered, fabricating, two_tips, implausible, silent, unsteady, shouting, lying,
                    zero_hash, mirror)
inline constexpr std::size_t kManners = 18;  // without mirror

// What it says about tips and hashes is the network's chain as it knows it.
[[nodiscard]] bool truthful(Manner manner);
// Nothing that it does may be held against it.
[[nodiscard]] bool blameless(Manner manner);

struct ChainPeer {
  IpAddress ip;
  Manner manner = Manner::honest;
  bool masternode = true;
  MadeChain* chain = nullptr;  // it has its blocks up to `height`
  Height height = 0;
  MadeChain* other = nullptr;         // two_tips, lying: the made up one
  Height lag = 0;                     // lagging
  const ChainStore* store = nullptr;  // mirror
  Height claim = 0;                   // implausible
  bool follows = true;                // its height grows with its chain
  std::size_t turn = 0;
  std::optional<Instant> changed_at = {};  // it went over to another chain
};

struct Served {
  std::vector<std::vector<std::uint8_t>> raws;
  std::vector<Height> heights;
  Duration delay = {};  // besides the path's
};

// The height that its pings tell.
[[nodiscard]] std::optional<Height> pinged(const ChainPeer& peer);
// None: no answer.
[[nodiscard]] std::optional<chain::Tip> tip_of(ChainPeer& peer);
struct HashAnswer {
  std::optional<wire::Hash32> hash;  // none: it says that it has no such block
};
[[nodiscard]] std::optional<HashAnswer> hash_of(const ChainPeer& peer, Height height);
[[nodiscard]] std::optional<Served> blocks_of(const ChainPeer& peer, Height first, Height last,
                                              Random& random);
// What a shouting peer sends unasked.
[[nodiscard]] Served shout(const ChainPeer& peer, Random& random);

}  // namespace timectl::sim
