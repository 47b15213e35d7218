#include "cmd/score_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "cmd/table.h"

namespace timectl::cmd {
namespace {

struct UnitRow {
  std::string_view part;
  double scale;
  int digits;
  std::string_view unit;
};
// In the order of score_view.cc; what is not here is points.
constexpr auto kUnits = std::to_array<UnitRow>({
    {"uptime", 100, 2, "% away"},
    {"loss", 100, 2, "% lost"},
    {"rtt", 100, 0, "% over"},
    {"jitter", 100, 0, "% over"},
    {"lag", 1, 1, "blocks"},
});
constexpr UnitRow kPoints{"", 1, 1, "points"};

std::string value_text(const ScorePartView& part) {
  if (!part.value) return "unknown";
  const auto* row = std::ranges::find(kUnits, part.name, &UnitRow::part);
  const auto& unit = row == kUnits.end() ? kPoints : *row;
  return fmt::format("{:.{}f} {}", *part.value * unit.scale, unit.digits, unit.unit);
}

// Tenths of points that add up to what is printed as lost, each within a tenth of the truth.
std::vector<double> rounded_penalties(const std::vector<ScorePartView>& parts) {
  std::vector<double> rounded;
  double sum = 0;
  double shown = 0;
  for (const auto& part : parts) {
    sum += part.penalty;
    const double total = std::round(sum * 10);
    rounded.push_back(std::max(0.0, (total - shown) / 10));
    shown = total;
  }
  return rounded;
}

Paint paint_of_score(double score) {
  constexpr double kPoor = 50;
  return score >= kGoodScore ? Paint::good : score >= kPoor ? Paint::warn : Paint::bad;
}

constexpr std::size_t kPartWidth = 12;
constexpr std::size_t kValueWidth = 15;
constexpr std::size_t kPenaltyWidth = 15;

std::string part_lines(const Output& out, const ScorePartView& part, double penalty) {
  constexpr std::size_t kIndent = kPartWidth + kValueWidth + kPenaltyWidth;
  const std::string lost = penalty > 0 ? fmt::format("-{:.1f}", penalty) : "0";
  std::string text =
      fmt::format("{:<{}}{:<{}}", printable(part.name), kPartWidth, value_text(part), kValueWidth);
  const auto cell = fmt::format("{:>5} of {:<4g}", lost, part.weight);
  text += out.paint(penalty > part.weight / 2 ? Paint::bad : Paint::plain, cell);
  text.append(kPenaltyWidth - std::min(kPenaltyWidth, cell.size()), ' ');
  text += wrapped(printable(part.evidence, 300), kIndent, out.width()) + "\n";
  if (!part.improve.empty()) {
    text += std::string(kIndent, ' ') +
            out.paint(Paint::dim, wrapped(printable(part.improve, 300), kIndent, out.width())) +
            "\n";
  }
  return text;
}

}  // namespace

std::string score_text(const Output& out, const control::PeerScoreReply& reply) {
  const auto penalties = rounded_penalties(reply.parts);
  const double lost = std::accumulate(penalties.begin(), penalties.end(), 0.0);
  std::string text = out.paint(Paint::bold, reply.ip.to_string());
  if (!reply.label.empty()) text += "  " + printable(reply.label);
  text += "  " + out.paint(paint_of_score(reply.score), fmt::format("{:.1f} of 100", 100 - lost));
  text += "\n";
  if (reply.whitelisted) text += "whitelisted: it is protected whatever the score\n";
  text += reply.since ? "newest evidence: " + out.time(*reply.since) + "\n\n"
                      : "nothing was noted of it yet: every part counts as neutral\n\n";
  text += out.paint(Paint::bold,
                    fmt::format("{:<{}}{:<{}}{:<{}}{}", "PART", kPartWidth, "VALUE", kValueWidth,
                                "LOST", kPenaltyWidth, "EVIDENCE, AND WHAT WOULD IMPROVE IT")) +
          "\n";
  for (std::size_t i = 0; i < reply.parts.size(); ++i) {
    text += part_lines(out, reply.parts[i], penalties[i]);
  }
  return text + fmt::format("\n100 - {:.1f} = {:.1f}\n", lost, 100 - lost);
}

}  // namespace timectl::cmd
