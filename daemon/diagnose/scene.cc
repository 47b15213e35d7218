#include "daemon/diagnose/scene.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "daemon/core/peer_words.h"
#include "daemon/core/reflect.h"
#include "daemon/diagnose/ban_reason.h"

namespace timectl::diagnose {
namespace {

constexpr std::size_t kMaxEvidence = 400;  // bytes of one piece
constexpr double kOneSided = 0.85;
constexpr double kMostSure = 0.99;  // nobody is surer than that from outside

const PeerFacts kNoPeer;
const RpcFacts kNoRpc;

struct Ending {
  EndReason reason;
  Stage stage;
  Outcome outcome;
};
// What the end of a dial says about how far it came.
constexpr auto kEndings = std::to_array<Ending>({
    {EndReason::refused, Stage::tcp, Outcome::refused},
    {EndReason::timed_out, Stage::tcp, Outcome::timed_out},
    {EndReason::no_route, Stage::tcp, Outcome::unreachable},
    {EndReason::closed_before_tls, Stage::tls, Outcome::closed},
    {EndReason::tls_failed, Stage::tls, Outcome::failed},
    {EndReason::no_handshake, Stage::handshake, Outcome::silent},
    {EndReason::wrong_magic, Stage::handshake, Outcome::wrong_magic},
    {EndReason::old_protocol, Stage::handshake, Outcome::old_protocol},
    {EndReason::old_commit, Stage::handshake, Outcome::old_commit},
    {EndReason::rejected_notice, Stage::handshake, Outcome::rejected},
    {EndReason::frame_too_large, Stage::handshake, Outcome::too_large},
    {EndReason::wrong_genesis, Stage::genesis, Outcome::mismatch},
});

struct Layer {
  Stage stage;
  std::string_view name;
  std::optional<LayerFacts> ProbeFacts::*facts;
};
constexpr auto kLayers = std::to_array<Layer>({
    {Stage::tcp, "TCP", &ProbeFacts::tcp},
    {Stage::tls, "TLS", &ProbeFacts::tls},
    {Stage::handshake, "handshake", &ProbeFacts::handshake},
    {Stage::ping, "ping", &ProbeFacts::ping},
    {Stage::tip, "tip", &ProbeFacts::tip},
    {Stage::genesis, "genesis", &ProbeFacts::genesis},
});

std::string_view stage_name(Stage stage) {
  const auto* row = std::find_if(kLayers.begin(), kLayers.end(),
                                 [&](const Layer& layer) { return layer.stage == stage; });
  return row == kLayers.end() ? "" : row->name;
}

Contact of_probe(const ProbeFacts& probe) {
  Contact contact{.probed = true};
  for (const auto& layer : kLayers) {
    const auto& facts = probe.*layer.facts;
    if (!facts) continue;
    contact.stage = layer.stage;
    contact.outcome = facts->outcome;
    contact.text = std::string(layer.name) + ": " + std::string(name_of(facts->outcome));
    if (facts->ms) contact.text += " after " + number_text(*facts->ms) + " ms";
    if (!facts->detail.empty()) contact.text += ", " + facts->detail;
    contact.text += " (probe)";
    if (facts->outcome != Outcome::ok) break;
  }
  return contact;
}

Contact of_dial(const PeerFacts& peer) {
  if (!peer.contact.last_dial) return {};
  const auto* row = std::find_if(kEndings.begin(), kEndings.end(), [&](const Ending& ending) {
    return ending.reason == *peer.contact.last_dial;
  });
  if (row == kEndings.end()) return {};
  Contact contact{.stage = row->stage, .outcome = row->outcome};
  contact.text = std::string(stage_name(row->stage)) + ": " + std::string(name_of(row->outcome)) +
                 " (our last dial)";
  return contact;
}

// A genesis block is asked for in a session that is up already; the dial before it went well.
Contact of_session(const PeerFacts& peer) {
  if (peer.sessions.empty() || peer.contact.last_dial) return {};
  if (peer.sessions.back().end_reason != EndReason::wrong_genesis) return {};
  return {.stage = Stage::genesis,
          .outcome = Outcome::mismatch,
          .text = "genesis: mismatch (our last session)"};
}

}  // namespace

void Proof::add(Side side, double weight, const std::string& evidence) {
  open_ *= 1 - std::clamp(weight, 0.0, 1.0);
  heard_[static_cast<std::size_t>(side)] = true;
  evidence_.push_back(printable(evidence, kMaxEvidence));  // much of it are a peer's words
}

void Proof::doubt(double weight) {
  left_ *= 1 - std::clamp(weight, 0.0, 1.0);
}

double Proof::confidence() const {
  if (evidence_.empty()) return 0;
  const auto sides = std::count(std::begin(heard_), std::end(heard_), true);
  return std::min((1 - open_) * left_ * (sides > 1 ? 1 : kOneSided), kMostSure);
}

Scene::Scene(const Facts& facts)
    : facts_(facts),
      peer_(facts.peer ? &*facts.peer : &kNoPeer),
      rpc_(peer_->rpc && peer_->rpc->answer == RpcAnswer::ok ? &*peer_->rpc : &kNoRpc) {
  // A session is the better witness than a dial that failed before it.
  if (peer_->probe) {
    contact_ = of_probe(*peer_->probe);
  } else if (!connected()) {
    contact_ = of_dial(*peer_);
    if (contact_.stage == Stage::none) contact_ = of_session(*peer_);
  }
}

bool Scene::state_is(PeerState state) const {
  return peer_->node && peer_->node->state == state;
}

bool Scene::connected() const {
  return peer_->node && is_connected(peer_->node->state);
}

bool Scene::is_us() const {
  return facts_.peer && facts_.node.address == peer_->ip;
}

bool Scene::probe_reached(Stage stage) const {
  if (!peer_->probe) return false;
  for (const auto& layer : kLayers) {
    const auto& facts = (*peer_->probe).*layer.facts;
    if (layer.stage == stage) return facts && facts->outcome == Outcome::ok;
  }
  return false;
}

std::optional<Outcome> Scene::elsewhere() const {
  if (!peer_->probe || !peer_->probe->elsewhere) return std::nullopt;
  return peer_->probe->elsewhere->outcome;
}

std::uint64_t Scene::failed_dials(EndReason reason) const {
  for (const auto& row : peer_->contact.failed) {
    if (row.reason == reason) return row.count;
  }
  return 0;
}

std::uint64_t Scene::violations(std::string_view kind) const {
  for (const auto& row : peer_->contact.violations) {
    if (row.kind == kind) return row.count;
  }
  return 0;
}

double Scene::seconds_since(WallTime at) const {
  return seconds(Duration(facts_.node.at - at));
}

double Scene::session_seconds() const {
  if (!connected() || !peer_->node->connected_at) return 0;
  return seconds_since(*peer_->node->connected_at);
}

const SessionRecord* Scene::last_session() const {
  return peer_->sessions.empty() ? nullptr : &peer_->sessions.back();
}

bool Scene::uptime_below(double limit) const {
  return rpc_->uptime_seconds && *rpc_->uptime_seconds < limit;
}

bool Scene::uptime_at_least(double limit) const {
  return rpc_->uptime_seconds && *rpc_->uptime_seconds >= limit;
}

const BanFacts* Scene::banned_there(std::string_view code) const {
  if (!rpc_->bans_us) return nullptr;
  const auto* row = ban_reason_of(rpc_->bans_us->reason);
  const std::string_view means = row == nullptr ? "" : row->code;
  return means == code ? &*rpc_->bans_us : nullptr;
}

std::optional<double> Scene::reference_height() const {
  const auto& sync = facts_.node.sync;
  if (!sync) return std::nullopt;
  if (sync->best_height) return static_cast<double>(*sync->best_height);
  if (sync->expected_height > 0) return static_cast<double>(sync->expected_height);
  return std::nullopt;
}

std::optional<double> Scene::peer_height() const {
  std::optional<double> highest;
  const auto see = [&](const std::optional<std::uint64_t>& height) {
    if (height) highest = std::max(highest.value_or(0), static_cast<double>(*height));
  };
  see(peer_->chain.height);
  see(rpc_->height);
  if (peer_->probe) see(peer_->probe->tip_height);
  if (peer_->node) see(peer_->node->height);
  return highest;
}

std::string Scene::notice() const {
  if (peer_->probe && !peer_->probe->notice.empty()) return peer_->probe->notice;
  if (!peer_->contact.last_text.empty()) return peer_->contact.last_text;
  return peer_->node ? peer_->node->last_text : "";
}

std::optional<EndReason> end_of(const ProbeFacts& probe) {
  const auto contact = of_probe(probe);
  if (contact.stage == Stage::none || contact.outcome == Outcome::ok) return std::nullopt;
  for (const auto& row : kEndings) {
    if (row.stage == contact.stage && row.outcome == contact.outcome) return row.reason;
  }
  if (contact.stage == Stage::tls) return EndReason::tls_failed;
  if (contact.stage == Stage::handshake) return EndReason::no_handshake;
  return std::nullopt;  // the handshake was done: whatever came then was a session
}

std::string span_text(double length) {
  constexpr double kMost = 3.2e8;  // ten years: what parse_duration takes
  if (!(length >= 0)) length = 0;
  return human_duration(Duration(static_cast<Duration::rep>(std::min(length, kMost) * 1e6)));
}

std::string number_text(double value, int digits) {
  std::array<char, 64> text{};
  constexpr double kMost = 1e18;
  std::snprintf(text.data(), text.size(), "%.*f", digits, std::clamp(value, -kMost, kMost));
  return text.data();
}

std::string count_text(std::uint64_t n, std::string_view one, std::string_view many) {
  return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

bool all_zero(std::string_view hex) {
  return !hex.empty() && hex.find_first_not_of('0') == std::string_view::npos;
}

bool same_hash(std::string_view a, std::string_view b) {
  const auto length = std::min(a.size(), b.size());
  return length > 0 && a.substr(0, length) == b.substr(0, length);
}

}  // namespace timectl::diagnose
