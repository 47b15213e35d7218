// Rules about being accepted: FM-H, from TLS to the genesis question.
#include <algorithm>
#include <array>

#include "daemon/core/reflect.h"
#include "daemon/diagnose/rules.h"

namespace timectl::diagnose {
namespace {

constexpr double kFrameLimit = 8'388'608;       // protocol 2.2
constexpr double kLongestHonest = 104'857'600;  // FM-H13: batches of a node that cannot chunk
constexpr std::uint64_t kLoop = 5;              // dials dropped at accept
constexpr std::uint64_t kUnreadable = 20;       // frames of one session
constexpr std::uint64_t kFarApart = 100;        // commits
constexpr std::uint64_t kWitnesses = 3;         // masternodes, until it is ours (FM-H8)
constexpr double kHour = 3600;                  // seconds: what they said before is over
constexpr double kSameMoment = 300;             // seconds, FM-H8

void banned(const Scene& s, Proof& p, std::string_view code) {
  const auto* ban = s.banned_there(code);
  if (ban == nullptr) return;
  p.add(Side::peer, 0.9, "it bans us: " + printable(ban->reason));
  if (s.dropped_at_accept()) p.add(Side::ours, 0.4, s.contact().text);
  p.acts(Act::you);
}

// When masternodes that are not back turned us away like that in the last hour, in order. None
// where another one has a session with us: to it we are right, and so it is not ours. Strangers
// are no witnesses, they may say what they like.
std::vector<WallTime> turned_away(const Scene& s, EndReason reason) {
  std::vector<WallTime> ends;
  for (const auto& peer : s.node().peers) {
    if (!peer.whitelisted) continue;
    if (peer.connected) return {};
    const bool lately =
        peer.ended == reason && peer.ended_at && s.seconds_since(*peer.ended_at) <= kHour;
    if (lately) ends.push_back(*peer.ended_at);
  }
  std::ranges::sort(ends);
  return ends;
}

bool says(const Scene& s, std::string_view words) {
  return s.notice().find(words) != std::string::npos;
}

void no_ack(const Scene& s, Proof& p) {
  banned(s, p, "FM-H1");
  if (s.ended_at(Stage::handshake, Outcome::silent)) {
    const auto others = s.peer().probe ? s.peer().probe->other_frames : 0;
    p.add(Side::ours, 0.7, s.contact().text);
    if (others > 0) {
      p.add(Side::ours, 0.3,
            "no Ack, but " + count_text(others, "other frame", "other frames") + ": it is alive");
    } else if (s.peer().probe) {
      p.add(Side::ours, 0.3, "no frame at all came");
    }
    p.acts(Act::peer);
  }
  const auto begun = s.violations("no_handshake");
  if (begun >= kLoop && !s.connected()) {
    p.add(Side::ours, 0.5,
          "it dialled us " + std::to_string(begun) + " times and did not finish a handshake");
  }
}

void early_message(const Scene& s, Proof& p) {
  banned(s, p, "FM-H2");
  const auto n = s.violations("early_frame");
  if (n > 0) {
    p.add(Side::ours, n > 1 ? 0.75 : 0.6,
          "it sent something before its Handshake, " + count_text(n, "time", "times"));
  }
}

std::string_view network_of(std::string_view magic) {
  if (magic == "c01d7e4d") return " (mainnet)";
  if (magic == "54494d45") return " (testnet)";
  return "";
}

void other_network(const Scene& s, Proof& p) {
  banned(s, p, "FM-H3");
  if (s.ended_at(Stage::handshake, Outcome::wrong_magic)) {
    const auto magic = s.peer().probe ? s.peer().probe->magic : std::string();
    p.add(Side::ours, 0.95,
          magic.empty()
              ? s.contact().text
              : "its Handshake has the magic " + printable(magic) + std::string(network_of(magic)) +
                    ", we are on " + std::string(name_of(s.node().network)));
    p.acts(Act::peer);
  }
  if (!s.connected() && s.violations("wrong_magic") > 0) {
    p.add(Side::ours, 0.7, "it dialled us with the magic of another network");
  }
}

void our_network(const Scene& s, Proof& p) {
  const auto n = turned_away(s, EndReason::wrong_magic).size();
  if (n < kWitnesses) return;
  p.add(Side::others, 0.85,
        std::to_string(n) + " masternodes are on another network than " +
            std::string(name_of(s.node().network)) + ", which is ours");
}

void old_protocol(const Scene& s, Proof& p) {
  if (says(s, "protocol version") && says(s, "below the minimum")) {
    p.add(Side::peer, 0.9, "it refuses ours: " + printable(s.notice()));
    p.acts(Act::you);
    return;
  }
  if (!s.ended_at(Stage::handshake, Outcome::old_protocol)) return;
  p.add(Side::ours, 0.9, s.contact().text);
}

void old_commit(const Scene& s, Proof& p) {
  banned(s, p, "FM-H5");
  if (says(s, "(commit") && says(s, "below the minimum")) {
    p.add(Side::peer, 0.9, "it refuses ours: " + printable(s.notice()));
    p.acts(Act::you);
    return;
  }
  if (s.ended_at(Stage::handshake, Outcome::rejected) && !says(s, "protocol version")) {
    p.add(Side::ours, 0.5, s.contact().text + ": " + printable(s.notice()));
    p.acts(Act::you);
  }
  const auto commit = s.peer().node ? s.peer().node->commit_count : std::nullopt;
  if (commit && *commit < s.node().min_commit_count) {
    p.add(Side::ours, 0.8,
          "its commit count is " + std::to_string(*commit) + ", the least is " +
              std::to_string(s.node().min_commit_count));
    p.acts(Act::peer);
  } else if (s.ended_at(Stage::handshake, Outcome::old_commit)) {
    p.add(Side::ours, 0.9, s.contact().text);
    p.acts(Act::peer);
  }
}

void all_refuse_our_version(const Scene& s, Proof& p) {
  const auto n = turned_away(s, EndReason::rejected_notice).size();
  if (n < kWitnesses) return;
  p.add(Side::others, 0.85,
        std::to_string(n) + " masternodes reject our Handshake; our commit count is " +
            std::to_string(s.node().commit_count));
}

bool genesis_refused(const Scene& s) {
  return s.ended_at(Stage::genesis, Outcome::mismatch) || s.banned_there("FM-H6") != nullptr;
}

void wrong_genesis(const Scene& s, Proof& p) {
  const auto& ours = s.node().genesis_hash;
  const auto& theirs = s.peer().probe && !s.peer().probe->genesis_hash.empty()
                           ? s.peer().probe->genesis_hash
                           : s.rpc().genesis_hash;
  const bool known = !ours.empty() && !theirs.empty();
  if (known && same_hash(ours, theirs)) return;
  constexpr std::size_t kShown = 16;
  if (known && !all_zero(theirs)) {
    p.add(Side::peer, 0.85,
          "its genesis block is " + printable(theirs.substr(0, kShown)) + ", ours " +
              printable(ours.substr(0, kShown)));
  }
  if (genesis_refused(s)) {
    p.add(Side::ours, 0.8,
          s.contact().stage == Stage::genesis ? s.contact().text : "it bans us for our genesis");
  }
}

void false_genesis_alarm(const Scene& s, Proof& p) {
  if (!genesis_refused(s) || s.rpc().genesis_hash.empty()) return;
  if (!same_hash(s.rpc().genesis_hash, s.node().genesis_hash)) return;
  p.add(Side::peer, 0.8, "the genesis blocks are equal, and yet it is taken for another chain");
  p.add(Side::ours, 0.4, "our genesis block is the same");
  p.acts(s.banned_there("FM-H6") != nullptr ? Act::peer : Act::you);
}

void zero_genesis(const Scene& s, Proof& p) {
  const auto& node = s.node();
  if (all_zero(node.genesis_hash)) p.add(Side::ours, 0.9, "our own genesis block reads as zeros");
  if (node.timed && all_zero(node.timed->genesis_hash)) {
    p.add(Side::ours, 0.9, "getblockhash 0 of the timed here gives zeros");
  }
  const auto ends = turned_away(s, EndReason::wrong_genesis);
  std::size_t together = 0;
  for (std::size_t first = 0, last = 0; last < ends.size(); ++last) {
    while (seconds(Duration(ends[last] - ends[first])) > kSameMoment) ++first;
    together = std::max(together, last - first + 1);
  }
  if (together >= kWitnesses) {
    p.add(Side::others, 0.8,
          std::to_string(together) +
              " masternodes differ from our genesis within 5 minutes: all will ban us in turn");
  }
}

void plaintext(const Scene& s, Proof& p) {
  if (!s.ended_at(Stage::tls, Outcome::plaintext)) return;
  p.add(Side::ours, 0.9, "its first bytes are no TLS: " + printable(s.peer().probe->first_bytes));
}

void json_lines(const Scene& s, Proof& p) {
  if (!s.ended_at(Stage::tls, Outcome::plaintext)) return;
  if (!s.peer().probe->first_bytes.starts_with("7b")) return;  // {
  p.add(Side::ours, 0.9, "it speaks JSON in lines, the protocol of January 2026");
}

void bad_sni(const Scene& s, Proof& p) {
  banned(s, p, "FM-H10");
}

void dropped(const Scene& s, Proof& p) {
  if (!s.dropped_at_accept()) return;
  p.add(Side::ours, 0.5, s.contact().text);
  const auto n = s.failed_dials(EndReason::closed_before_tls);
  if (n >= kLoop) p.add(Side::ours, 0.3, std::to_string(n) + " dials of the last day ended so");
  if (s.elsewhere() == Outcome::ok) {
    p.add(Side::others, 0.3, "accepted from elsewhere: a ban, or a session of ours that it keeps");
  } else if (s.elsewhere() == Outcome::closed) {
    p.add(Side::others, 0.3, "closed from elsewhere, too: a limit there");
  }
}

std::optional<double> announced(const Scene& s) {
  if (!s.peer().probe || !s.peer().probe->frame_length) return std::nullopt;
  return static_cast<double>(*s.peer().probe->frame_length);
}

void frame_bomb(const Scene& s, Proof& p) {
  banned(s, p, "FM-H12");
  const auto length = announced(s);
  if (length && *length > kLongestHonest) {
    p.add(Side::ours, 0.9, "it announced a frame of " + number_text(*length) + " bytes");
    p.acts(Act::peer);
  } else if (!length && s.violations("frame_too_large") > 0) {
    p.add(Side::ours, 0.6, "it announced a frame over the limit in a session");
  }
}

void oversize(const Scene& s, Proof& p) {
  const auto length = announced(s);
  if (!length || *length <= kFrameLimit || *length > kLongestHonest) return;
  p.add(Side::ours, 0.75,
        "it announced a frame of " + number_text(*length) + " bytes, the limit is 8388608");
}

void unreadable(const Scene& s, Proof& p) {
  if (!s.connected() || s.peer().node->undecodable_frames < kUnreadable) return;
  const auto& live = *s.peer().node;
  p.add(Side::ours, 0.6, std::to_string(live.undecodable_frames) + " frames of it are no message");
  if (!live.height) p.add(Side::ours, 0.4, "and no height came in all that time");
  const auto ours = s.node().commit_count;
  if (live.commit_count && ours > 0) {
    const auto apart =
        *live.commit_count > ours ? *live.commit_count - ours : ours - *live.commit_count;
    if (apart > kFarApart) {
      p.add(Side::peer, 0.3, "its software is " + std::to_string(apart) + " commits from ours");
    }
  }
}

constexpr auto kRules = std::to_array<Rule>({
    {"FM-H1", About::peer, Severity::warning, Act::peer, "FM-D2 FM-P4 FM-H11", no_ack},
    {"FM-H2", About::peer, Severity::warning, Act::peer, "FM-H11", early_message},
    {"FM-H3", About::peer, Severity::error, Act::peer, "FM-H11 FM-H6 FM-P4 FM-D2", other_network},
    {"FM-C3", About::node, Severity::critical, Act::you, "FM-H3 FM-H6", our_network},
    {"FM-H4", About::peer, Severity::error, Act::peer, "FM-H5 FM-P4 FM-D2", old_protocol},
    {"FM-H5", About::peer, Severity::error, Act::peer, "FM-H11 FM-P4 FM-D2 FM-H14", old_commit},
    {"FM-H5", About::node, Severity::critical, Act::you, "FM-H4", all_refuse_our_version},
    {"FM-H6", About::peer, Severity::critical, Act::peer, "FM-H11 FM-P4 FM-D2 FM-S5 FM-S7 FM-S18",
     wrong_genesis},
    {"FM-H7", About::peer, Severity::critical, Act::you, "FM-H6 FM-H11", false_genesis_alarm},
    {"FM-H8", About::node, Severity::critical, Act::you, "FM-H6 FM-H7 FM-H11 FM-S5", zero_genesis},
    {"FM-H9", About::peer, Severity::error, Act::peer, "FM-P4 FM-D2", plaintext},
    {"FM-H10", About::peer, Severity::warning, Act::you, "FM-H11", bad_sni},
    {"FM-H11", About::peer, Severity::error, Act::peer, "FM-P4 FM-D2", dropped},
    {"FM-H12", About::peer, Severity::error, Act::peer, "FM-H11 FM-H14", frame_bomb},
    {"FM-H13", About::peer, Severity::error, Act::peer, "FM-H14", oversize},
    {"FM-H14", About::peer, Severity::error, Act::peer, "FM-S4", unreadable},
    {"FM-H15", About::peer, Severity::error, Act::peer, "FM-H9", json_lines},
});

}  // namespace

std::span<const Rule> handshake_rules() {
  return kRules;
}

}  // namespace timectl::diagnose
