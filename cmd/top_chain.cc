// The chain in `timectl top`: what is believed and why, and the last 24 hours as pictures.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cmd/sync_verdict.h"
#include "cmd/top_pages.h"
#include "cmd/view_text.h"
#include "daemon/core/reflect.h"

namespace timectl::cmd {
namespace {

using control::NodePoint;

constexpr std::size_t kMostText = 300;
constexpr std::size_t kLeastChart = 4;  // lines: a title and three of the picture
constexpr std::size_t kHighestChart = 10;

std::vector<Field> chain_fields(const TopData& data, const Output& out) {
  const auto& overview = data.overview;
  const auto& chain = overview.chain;
  // A reason is said once, whoever gives it.
  std::string said = sentence_of(chain).text();
  const auto is_new = [&](const std::string& text) {
    if (text.empty() || said.find(printable(text, kMostText)) != std::string::npos) return false;
    said += "\n" + printable(text, kMostText);
    return true;
  };
  std::vector<Field> fields{{"Chain", said}};
  if (is_new(chain.ground)) fields.push_back({"Because", printable(chain.ground, kMostText)});
  std::string sync(activity_row(chain.activity).phrase);
  if (chain.blocks_per_minute) sync += ", " + rate_text(*chain.blocks_per_minute);
  if (chain.eta_seconds) sync += ", about " + about(*chain.eta_seconds) + " left";
  if (is_new(chain.activity_because)) sync += ": " + printable(chain.activity_because, kMostText);
  fields.push_back({"Sync", sync});
  if (chain.tip_at) {
    const auto at = *chain.tip_at;
    fields.push_back({"Tip", fmt::format("a block of {}, {}", out.time(at),
                                         at > out.now().wall ? out.until(at) + " ahead of our clock"
                                                             : out.since(at) + " ago")});
  }
  fields.push_back({"Expected", grouped(chain.expected_height) + " by the clock"});
  if (chain.forks > 0) {
    fields.push_back({"Forks", grouped(chain.forks) + " open: timectl sync fork"});
  }
  if (overview.status.slots) fields.push_back({"Slots", slots_line(*overview.status.slots)});
  return fields;
}

struct Picture {
  std::string title;
  Series values;
  Keep keep;
  Paint paint;
  double bottom;  // the value of the ground line
};

template <class Get>
Series series_of(const std::vector<NodePoint>& points, Get get) {
  Series series;
  for (const auto& point : points) {
    const auto value = get(point);
    series.push_back(value ? std::optional<double>(static_cast<double>(*value)) : std::nullopt);
  }
  return series;
}

std::optional<std::pair<double, double>> range_of(const Series& values) {
  std::optional<std::pair<double, double>> range;
  for (const auto& value : values) {
    if (!value) continue;
    if (!range) range.emplace(*value, *value);
    range = std::pair(std::min(range->first, *value), std::max(range->second, *value));
  }
  return range;
}

std::string number(double value) {
  return grouped(static_cast<std::uint64_t>(std::llround(value)));
}

Picture lag_picture(const std::vector<NodePoint>& points) {
  auto values = series_of(points, [](const NodePoint& point) { return point.lag_max; });
  const auto range = range_of(values);
  return {range ? "lag, blocks: 0 to " + number(range->second) : "lag: not known",
          std::move(values), Keep::greatest, Paint::warn, 0};
}

Picture height_picture(const std::vector<NodePoint>& points) {
  auto values = series_of(points, [](const NodePoint& point) { return point.height; });
  const auto range = range_of(values);
  const double bottom = range ? range->first : 0;
  return {range ? fmt::format("height: {} to {}", number(bottom), number(range->second))
                : "height: not known",
          std::move(values), Keep::greatest, Paint::good, bottom};
}

Picture masternodes_picture(const std::vector<NodePoint>& points) {
  auto values = series_of(points, [](const NodePoint& point) { return point.connected_min; });
  const auto range = range_of(values);
  return {range ? fmt::format("masternodes connected, the fewest: {} to {}", number(range->first),
                              number(range->second))
                : "masternodes connected: not known",
          std::move(values), Keep::least, Paint::good, 0};
}

Lines drawn(const Picture& picture, const std::string& span, std::size_t width,
            std::size_t height) {
  Lines lines{rule_line(picture.title, span, width)};
  auto values = picture.values;
  for (auto& value : values) {
    if (value) *value -= picture.bottom;
  }
  const auto range = range_of(values);
  const double top = range ? std::max(range->second, 1.0) : 1.0;
  // Each point once: a wider picture would show nothing more.
  const auto more = chart(values, top, width, height - 1, picture.keep, picture.paint);
  lines.insert(lines.end(), more.begin(), more.end());
  return lines;
}

}  // namespace

Lines chain_page(const TopData& data, const Output& out, Area area) {
  auto lines = field_lines(chain_fields(data, out), area.width);
  lines.resize(std::min(lines.size(), area.room));
  if (!data.history) return lines;
  const auto& history = *data.history;
  const double hours = history.step_seconds * static_cast<double>(history.node.size()) / 3600;
  const auto span = fmt::format("the last {:.0f} h", hours);
  const std::vector<Picture> pictures{lag_picture(history.node), masternodes_picture(history.node),
                                      height_picture(history.node)};
  const auto room = area.room - lines.size();
  const auto fitting = std::min(pictures.size(), room / kLeastChart);
  if (fitting == 0) return lines;
  const auto height = std::min(room / fitting, kHighestChart);
  for (std::size_t i = 0; i < fitting; ++i) {
    const auto more = drawn(pictures[i], span, area.width, height);
    lines.insert(lines.end(), more.begin(), more.end());
  }
  return lines;
}

}  // namespace timectl::cmd
