#include "tests/sim/chain_peers.h"

#include <algorithm>

namespace timectl::sim {
namespace {

constexpr Duration kDrip = 14'900ms;  // the plan waits 15 s
constexpr Height kMost = 50;          // blocks an answer (protocol 9.8)

Height own_height(const ChainPeer& peer) {
  if (peer.manner == Manner::mirror) return peer.store->tip().block.height;
  return peer.height > peer.lag ? peer.height - peer.lag : 0;
}

MadeChain& served_chain(const ChainPeer& peer) {
  return peer.manner == Manner::lying ? *peer.other : *peer.chain;
}

Served serve(const ChainPeer& peer, Height first, Height last) {
  Served served;
  for (Height h = first; h <= last; ++h) {
    served.heights.push_back(h);
    served.raws.push_back(served_chain(peer).at(h).raw);
  }
  return served;
}

void misplace(Served& served, const ChainPeer& peer, Random& random) {
  const Height first = served.heights.front();
  switch (random.below(4)) {
    case 0:
      served = serve(peer, first + 1, served.heights.back() + 1);
      return;
    case 1:
      served.heights.push_back(served.heights.back());
      served.raws.push_back(served.raws.back());
      return;
    case 2:
      served = serve(peer, first - 1, served.heights.back());
      return;
    default:
      std::reverse(served.heights.begin(), served.heights.end());
      std::reverse(served.raws.begin(), served.raws.end());
      if (served.heights.size() == 1) served = serve(peer, first + 7, first + 7);
  }
}

// One in four answers has a wrong block somewhere.
void damage(Served& served, Manner manner, Random& random) {
  if (served.raws.empty() || random.below(4) != 0) return;
  auto& raw = served.raws[random.below(served.raws.size())];
  // parent, merkle or time: a wrong height is another story (gaps).
  static constexpr Wrong kBroken[] = {Wrong::parent, Wrong::merkle, Wrong::time};
  raw = make_wrong(raw, manner == Manner::altered ? Wrong::altered : kBroken[random.below(3)]);
}

}  // namespace

bool truthful(Manner manner) {
  switch (manner) {
    case Manner::fabricating:
    case Manner::two_tips:
    case Manner::implausible:
    case Manner::silent:
    case Manner::zero_hash:
      return false;
    default:
      return true;
  }
}

bool blameless(Manner manner) {
  return manner == Manner::honest || manner == Manner::lagging || manner == Manner::unsteady ||
         manner == Manner::stalling || manner == Manner::half || manner == Manner::silent ||
         manner == Manner::shorting || manner == Manner::dripping || manner == Manner::mirror;
}

std::optional<Height> pinged(const ChainPeer& peer) {
  if (peer.manner == Manner::implausible) return peer.claim;
  return own_height(peer);
}

std::optional<chain::Tip> tip_of(ChainPeer& peer) {
  const Height height = own_height(peer);
  switch (peer.manner) {
    case Manner::silent:
      return std::nullopt;
    case Manner::implausible:
      return chain::Tip{peer.claim, peer.chain->hash_at(1)};
    case Manner::zero_hash:
      return chain::Tip{height, {}};
    case Manner::two_tips:
      return ++peer.turn % 2 == 0 ? peer.chain->tip_at(height) : peer.other->tip_at(height);
    case Manner::mirror:
      return chain::Tip{height, peer.store->tip().block.hash};
    default:
      return peer.chain->tip_at(height);
  }
}

std::optional<HashAnswer> hash_of(const ChainPeer& peer, Height height) {
  if (peer.manner == Manner::silent) return std::nullopt;
  if (peer.manner == Manner::zero_hash) return HashAnswer{wire::Hash32{}};
  if (peer.manner == Manner::mirror) return HashAnswer{peer.store->hash_at(height)};
  if (height > own_height(peer)) return HashAnswer{};
  const bool turn = peer.manner == Manner::two_tips && peer.turn % 2 != 0;
  return HashAnswer{turn ? peer.other->hash_at(height) : peer.chain->hash_at(height)};
}

std::optional<Served> blocks_of(const ChainPeer& peer, Height first, Height last, Random& random) {
  const bool never = peer.manner == Manner::silent || peer.manner == Manner::stalling;
  if (never || (peer.manner == Manner::half && random.below(2) == 0)) return std::nullopt;
  if (peer.manner == Manner::empty || peer.manner == Manner::implausible) return Served{};
  Height end = std::min({last, first + kMost - 1, own_height(peer)});
  if (first > end) return Served{};
  if (peer.manner == Manner::mirror) {
    Served served;
    served.raws = peer.store->bodies(first, end, SIZE_MAX);
    for (std::size_t i = 0; i < served.raws.size(); ++i) served.heights.push_back(first + i);
    return served;
  }
  if (peer.manner == Manner::shorting || peer.manner == Manner::dripping) end = first;
  Served served = serve(peer, first, end);
  if (peer.manner == Manner::dripping) served.delay = kDrip;
  if (peer.manner == Manner::gaps) misplace(served, peer, random);
  if (peer.manner == Manner::bad || peer.manner == Manner::altered) {
    damage(served, peer.manner, random);
  }
  return served;
}

Served shout(const ChainPeer& peer, Random& random) {
  const Height last = std::max<Height>(own_height(peer), 60);
  const Height first = last - random.below(60);
  return serve(peer, first, std::min(last, first + random.below(kMost)));
}

}  // namespace timectl::sim
