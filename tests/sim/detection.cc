#include "tests/sim/detection.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>
#include <string>
#include <vector>

#include "daemon/core/liveness.h"
#include "daemon/core/random.h"
#include "tests/sim/tcp_link.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t kPing = 1;
constexpr std::uint8_t kPong = 2;

// Who judges: ours by the core's Liveness; the network's by its own words, or as it runs, where
// the pong rule never fires (protocol 6.4) and TCP alone ends a connection.
enum class Judge : std::uint8_t { ours, ours_fast, network, network_as_it_runs };
constexpr auto kJudges = std::to_array<Judge>(
    {Judge::ours, Judge::ours_fast, Judge::network, Judge::network_as_it_runs});

LivenessPolicy policy_of(Judge judge) {
  LivenessPolicy policy;
  if (judge == Judge::ours_fast) {
    policy.keepalive_interval = 3s;
    policy.tcp_user_timeout = 25s;  // with a ping each 3 s: within 30 s
  }
  return policy;
}

// Both ends of one connection with their rules, on one link.
class Judged {
 public:
  Judged(Judge judge, LinkOptions options)
      : judge_(judge),
        rules_(liveness_rules(policy_of(judge), true, LivenessProfile::normal)),
        random_(options.seed),
        link_(with_user_timeout(judge, options)) {
    link_.on_message = [this](std::uint8_t side, const Message& m) { on_message(side, m); };
    link_.on_wake = [this](std::uint8_t side) { on_wake(side); };
    link_.on_dead = [this](std::uint8_t side) { cut(side); };
    begin();
  }

  TcpLink& link() { return link_; }
  void run_until(Duration end) {
    while (link_.now() < end) link_.run_until(end);
  }
  // Ends the run at the cut of either end, which is what the count of false cuts wants.
  bool renew_when_cut = false;
  std::uint64_t cuts = 0;
  std::array<Duration, 2> cut_at = {TcpFlow::kNever, TcpFlow::kNever};

 private:
  struct End {
    Liveness liveness{Instant{}};
    std::vector<std::pair<std::uint64_t, Duration>> pending;  // of the network's rule
    std::size_t missed = 0;
    Duration next_ping = {};
    Duration next_check = {};
  };
  static LinkOptions with_user_timeout(Judge judge, LinkOptions options) {
    const bool ours = judge == Judge::ours || judge == Judge::ours_fast;
    options.user_timeout = ours ? policy_of(judge).tcp_user_timeout : Duration::zero();
    return options;
  }
  [[nodiscard]] bool ours() const { return judge_ == Judge::ours || judge_ == Judge::ours_fast; }

  void begin() {
    for (std::uint8_t side = 0; side < 2; ++side) {
      ends_[side] = End{};
      ends_[side].liveness = Liveness(Instant(link_.now()));
      ends_[side].next_ping = link_.now();
      ends_[side].next_check = link_.now() + 10s;
      // The ends do not ping at the same moment.
      link_.wake_at(side, link_.now() + Duration(random_.below(15'000'000)));
    }
  }

  void cut(std::uint8_t side) {
    ++cuts;
    cut_at[side] = std::min(cut_at[side], link_.now());
    if (renew_when_cut) {
      link_.renew();
      begin();
    } else if (cut_at[0] != TcpFlow::kNever && cut_at[1] != TcpFlow::kNever) {
      link_.stop();
    }
  }

  void on_message(std::uint8_t side, const Message& m) {
    End& end = ends_[side];
    const Instant now(link_.now());
    if (m.kind == kPing) {
      end.liveness.heard(now);
      link_.write(side, {m.nonce, kPong});
    } else {
      (void)end.liveness.pong(m.nonce, now);
      end.missed = 0;
      std::erase_if(end.pending, [&](const auto& p) { return p.first == m.nonce; });
    }
    if (ours()) link_.wake_at(side, end.liveness.next_due(rules_).time_since_epoch());
  }

  void on_wake(std::uint8_t side) {
    if (cut_at[side] != TcpFlow::kNever && !renew_when_cut) return;
    ours() ? judge_as_we_do(side) : judge_as_the_network(side);
  }

  void judge_as_we_do(std::uint8_t side) {
    Liveness& liveness = ends_[side].liveness;
    const Instant now(link_.now());
    switch (liveness.check(rules_, now)) {
      case Liveness::Answer::unresponsive:
        return cut(side);
      case Liveness::Answer::ping_now: {
        const std::uint64_t nonce = random_.next();
        liveness.pinged(nonce, now);
        link_.write(side, {nonce, kPing});
        break;
      }
      case Liveness::Answer::keep:
        break;
    }
    const Duration due = liveness.next_due(rules_).time_since_epoch();
    link_.wake_at(side, std::max(due, link_.now() + 1ms));
  }

  // Pings every 30 s, looks every 10 s; a ping unanswered for 90 s is missed, three end it.
  void judge_as_the_network(std::uint8_t side) {
    End& end = ends_[side];
    const Duration now = link_.now();
    if (now >= end.next_ping) {
      end.next_ping = now + 30s;
      const std::uint64_t nonce = random_.next();
      end.pending.emplace_back(nonce, now);
      link_.write(side, {nonce, kPing});
    }
    if (now >= end.next_check) {
      end.next_check = now + 10s;
      end.missed +=
          std::erase_if(end.pending, [&](const auto& p) { return now - p.second >= 90s; });
      if (end.missed >= 3 && judge_ == Judge::network) return cut(side);
    }
    link_.wake_at(side, std::min(end.next_ping, end.next_check));
  }

  Judge judge_;
  LivenessRules rules_;
  Random random_;
  TcpLink link_;
  std::array<End, 2> ends_;
};

// Seconds from the cut of the path to the cut of the connection, of each end of 1,000 links.
struct Delays {
  double p50 = 0;
  double p99 = 0;
  double longest = 0;
};
Delays delays(Judge judge, bool both_ways) {
  std::vector<double> seen;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Judged judged(judge, {.seed = seed, .jitter = 200ms});
    const Duration dead = 300s + Duration(Random(~seed).below(60'000'000));
    judged.run_until(dead);
    judged.link().cut(true, both_ways);
    judged.link().run_until(dead + 1h);
    for (const Duration at : judged.cut_at) seen.push_back(seconds(std::min(at, dead + 1h) - dead));
  }
  std::sort(seen.begin(), seen.end());
  return {seen[seen.size() / 2], seen[seen.size() * 99 / 100], seen.back()};
}

// Of a living path, per connection-hour: 50 links of 24 hours.
double false_cuts(Judge judge, double loss) {
  std::uint64_t cuts = 0;
  constexpr std::uint64_t kLinks = 50;
  for (std::uint64_t seed = 1; seed <= kLinks; ++seed) {
    Judged judged(judge, {.seed = seed, .loss = loss, .jitter = 200ms});
    judged.renew_when_cut = true;
    judged.run_until(24h);
    cuts += judged.cuts;
  }
  return static_cast<double>(cuts) / (24.0 * kLinks);
}

std::string cell(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), value == 0 ? "0" : value < 1 ? "%.3f" : "%.1f", value);
  return text;
}

}  // namespace

int detect(std::ostream& out) {
  out << "| | ours, default | ours, keepalive 3 s | network, 3 pongs of 90 s | network, as it runs "
         "|\n|---|---|---|---|---|\n";
  for (const bool both_ways : {true, false}) {
    std::array<std::string, 2> rows{both_ways ? "| dead path: cut after, p50 / p99 / longest, s "
                                              : "| one way dead: the same "};
    for (const Judge judge : kJudges) {
      const Delays d = delays(judge, both_ways);
      rows[0] += "| " + cell(d.p50) + " / " + cell(d.p99) + " / " + cell(d.longest) + " ";
    }
    out << rows[0] << "|\n";
  }
  for (const int loss : {0, 5, 10, 20, 30, 40}) {
    out << "| false cuts per connection-hour at " << loss << " % ";
    for (const Judge judge : kJudges) out << "| " << cell(false_cuts(judge, loss / 100.0)) << ' ';
    out << "|" << std::endl;
  }
  return 0;
}

int silences(std::ostream& out) {
  constexpr std::array<double, 4> kLimits{10, 20, 30, 90};
  constexpr int kHours = 330;
  out << "| loss | silence > 10 s | > 20 s | > 30 s | > 90 s | longest, s | ping RTT p50, s |\n"
         "|---|---|---|---|---|---|---|\n";
  for (const int loss : {5, 10, 20, 30, 40}) {
    std::array<double, 4> count{};
    double longest = 0;
    std::vector<double> rtt;
    for (std::uint64_t seed = 1; seed <= kHours; ++seed) {
      TcpLink link({.seed = seed, .loss = loss / 100.0, .latency = 50us});
      Duration heard = {};
      std::vector<Duration> sent;
      link.on_message = [&](std::uint8_t side, const Message& m) {
        if (side == 1) return link.write(1, m);
        const double silence = seconds(link.now() - heard);
        heard = link.now();
        longest = std::max(longest, silence);
        rtt.push_back(seconds(link.now() - sent[m.nonce]));
        for (std::size_t i = 0; i < kLimits.size(); ++i) count[i] += silence > kLimits[i] ? 1 : 0;
      };
      link.on_wake = [&](std::uint8_t) {
        sent.push_back(link.now());
        link.write(0, {sent.size() - 1, kPing});
        link.wake_at(0, link.now() + 2s);
      };
      link.on_dead = [&](std::uint8_t) { link.renew(); };
      link.wake_at(0, 0s);
      link.run_until(1h);
    }
    std::sort(rtt.begin(), rtt.end());
    out << "| " << loss << " % ";
    for (const double n : count) out << "| " << cell(n / kHours) << ' ';
    out << "| " << cell(longest) << " | " << cell(rtt[rtt.size() / 2]) << " |" << std::endl;
  }
  return 0;
}

}  // namespace timectl::sim
