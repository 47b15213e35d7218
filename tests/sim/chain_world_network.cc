// The part of ChainWorld that is the network: who is connected, what arrives when, and how the
// chains of others grow.
#include <algorithm>
#include <utility>

#include "tests/sim/chain_world.h"

namespace timectl::sim {
namespace {

constexpr Duration kPing = 30s;   // protocol 7.1
constexpr Duration kSpread = 5s;  // of a new block over the network

}  // namespace

ChainPeer& ChainWorld::add(Manner manner, bool masternode, MadeChain* chain) {
  const auto n = peers_.size() + 1;
  auto peer = std::make_unique<ChainPeer>();
  peer->ip = IpAddress::v4(20, masternode ? 1 : 2, static_cast<std::uint8_t>(n / 200),
                           static_cast<std::uint8_t>(n % 200 + 1));
  peer->manner = manner;
  peer->chain = chain != nullptr ? chain : &MadeChain::network();
  peer->height = top();
  for (const auto& [honest, height] : facts_.honest) {
    if (honest == peer->chain) peer->height = height;
  }
  if (masternode) masternodes_.insert(peer->ip);
  by_ip_[peer->ip] = peer.get();
  peers_.push_back(std::move(peer));
  ChainPeer& added = *peers_.back();
  connect(added);
  return added;
}

void ChainWorld::add(std::size_t count, Manner manner, bool masternode, MadeChain* chain) {
  for (std::size_t i = 0; i < count; ++i) add(manner, masternode, chain);
}

void ChainWorld::mirror(std::size_t number) {
  auto peer = std::make_unique<ChainPeer>();
  peer->ip = IpAddress::v4(20, 3, 0, static_cast<std::uint8_t>(number + 1));
  peer->manner = Manner::mirror;
  peer->chain = &MadeChain::network();
  peer->store = &nodes_.at(number)->store;
  peer->follows = false;
  by_ip_[peer->ip] = peer.get();
  peers_.push_back(std::move(peer));
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (i != number) connect(*nodes_[i], *peers_.back());
  }
}

MadeChain& ChainWorld::split(Height ancestor, Height height, std::uint64_t seed) {
  MadeChain& chain = MadeChain::network().branch(ancestor, seed);
  facts_.honest.emplace_back(&chain, height);
  facts_.top = std::max(facts_.top, height);
  return chain;
}

void ChainWorld::join(MadeChain& chain) {
  std::erase_if(facts_.honest, [&](const auto& entry) { return entry.first == &chain; });
  facts_.top = top();
  for (const auto& [honest, height] : facts_.honest) facts_.top = std::max(facts_.top, height);
}

void ChainWorld::follow(ChainPeer& peer, MadeChain& chain) {
  for (const auto& [honest, height] : facts_.honest) {
    if (honest != &chain) continue;
    peer.chain = &chain;
    peer.height = height;
    peer.changed_at = now_;
  }
}

void ChainWorld::connect(ChainPeer& peer) {
  for (auto& node : nodes_) connect(*node, peer);
}

void ChainWorld::leave(ChainPeer& peer) {
  for (auto& node : nodes_) leave(*node, peer);
}

void ChainWorld::connect(ChainNode& node, ChainPeer& peer) {
  const std::uint64_t life = node.life;
  at(std::chrono::milliseconds(random_.below(1000)), [this, &node, &peer, life] {
    Link& link = node.links[peer.ip];
    if (link.up || node.life != life) return;
    link = Link{};
    link.peer = &peer;
    link.up = true;
    link.number = ++connections_;
    link.since = now_;
    node.coordinator->on_connected(peer.ip, now());
    ping(node, peer, link.number);
    if (peer.manner == Manner::unsteady) wander(node, peer);
    settle(node);
  });
}

void ChainWorld::leave(ChainNode& node, ChainPeer& peer) {
  Link& link = node.links[peer.ip];
  if (!link.up) return;
  link.up = false;
  link.out.reset();
  node.coordinator->on_left(peer.ip, now());
  settle(node);
}

void ChainWorld::wander(ChainNode& node, ChainPeer& peer) {
  const std::uint64_t connection = node.links[peer.ip].number;
  at(std::chrono::seconds(20 + random_.below(300)), [this, &node, &peer, connection] {
    if (node.links[peer.ip].number != connection) return;
    leave(node, peer);
    at(std::chrono::seconds(5 + random_.below(120)), [this, &node, &peer] { connect(node, peer); });
  });
}

void ChainWorld::grow() {
  at(600s, [this] { grow(); });
  if (!setup_.growing) return;
  for (auto& [chain, height] : facts_.honest) facts_.top = std::max(facts_.top, ++height);
  for (auto& peer : peers_) {
    if (!peer->follows) continue;
    ChainPeer* one = peer.get();
    MadeChain* chain = one->chain;
    const Height height = one->height + 1;
    at(Duration(random_.below(static_cast<std::size_t>(Duration(kSpread).count()))),
       [one, chain, height] {
         if (one->chain == chain) one->height = std::max(one->height, height);
       });
  }
}

void ChainWorld::ping(ChainNode& node, ChainPeer& peer, std::uint64_t connection) {
  if (!node.links[peer.ip].up || node.links[peer.ip].number != connection) return;
  if (const auto height = pinged(peer)) {
    send(node, peer.ip, {}, [this, &node, ip = peer.ip, height = *height] {
      node.coordinator->on_height(ip, chain::ClaimSource::ping, height, now());
    });
  }
  if (peer.manner == Manner::shouting) {
    const Served served = shout(peer, random_);
    send(node, peer.ip, {}, [this, &node, ip = peer.ip, served] { deliver(node, ip, served); });
  }
  at(kPing, [this, &node, &peer, connection] { ping(node, peer, connection); });
}

void ChainWorld::send(ChainNode& node, const IpAddress& ip, Duration more, Act act) {
  Link& link = node.links[ip];
  link.arrives = std::max(link.arrives, now_ + latency() + more);
  queue_.push(
      {link.arrives, ++order_, [this, &node, ip, number = link.number, act = std::move(act)] {
         Link& then = node.links[ip];
         if (!then.up || then.number != number) return;
         act();
         settle(node);
       }});
}

void ChainWorld::deliver(ChainNode& node, const IpAddress& ip, const Served& served) {
  node.coordinator->on_blocks(ip, {blocks_payload(served.raws), served.heights}, now());
}

void ChainWorld::ask_blocks(ChainNode& node, const chain::AskBlocks& ask) {
  node.checks.on_ask_blocks(ask, node.links, now_);
  tell([&] {
    return "blocks? " + ask.peer.to_string() + " " + std::to_string(ask.first) + " to " +
           std::to_string(ask.last);
  });
  ++node.block_questions[ask.peer];
  Link& link = node.links[ask.peer];
  link.out = ask;
  link.out_at = now_;
  const std::uint64_t number = ++link.out_number;
  auto served = blocks_of(*link.peer, ask.first, ask.last, random_);
  if (!served) return;
  send(node, ask.peer, served->delay, [this, &node, ip = ask.peer, served = *served, number] {
    Link& then = node.links[ip];
    if (then.out_number == number) then.out.reset();
    deliver(node, ip, served);
  });
}

void ChainWorld::ask_tip(ChainNode& node, const IpAddress& ip) {
  node.checks.on_ask(ip, node.links, false, now_);
  const auto tip = tip_of(*by_ip_.at(ip));
  if (!tip) return;
  send(node, ip, {}, [this, &node, ip, tip = *tip] {
    node.links[ip].told = true;
    tell([&] {
      return "tip of " + ip.to_string() + ": " + std::to_string(tip.height) + " " +
             wire::to_hex(tip.hash).substr(0, 6);
    });
    node.coordinator->on_tip(ip, tip, now());
  });
}

void ChainWorld::ask_hash(ChainNode& node, const IpAddress& ip, Height height) {
  node.checks.on_ask(ip, node.links, true, now_);
  tell([&] { return "hash? " + ip.to_string() + " " + std::to_string(height); });
  ++node.hash_questions[ip];
  const auto answer = hash_of(*by_ip_.at(ip), height);
  if (!answer) return;
  send(node, ip, {}, [this, &node, ip, height, hash = answer->hash] {
    node.coordinator->on_hash(ip, height, hash, now());
  });
}

}  // namespace timectl::sim
