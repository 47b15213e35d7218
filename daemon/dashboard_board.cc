#include "daemon/dashboard_board.h"

#include <set>
#include <utility>

namespace timectl {
namespace {

std::string number_text(std::uint64_t number) {
  auto text = std::to_string(number);
  constexpr std::size_t kDigits = 20;  // of 2^64: the order of texts is that of numbers
  return text.insert(0, kDigits - text.size(), '0');
}

json::value status_of(const control::OverviewReply& overview) {
  auto rest = overview;
  rest.masternodes.clear();
  rest.alerts.clear();
  auto document = to_json(rest);
  document.as_object().erase("masternodes");
  document.as_object().erase("alerts");
  return document;
}

template <class Row, class Key>
void show_rows(web::Board& board, const std::string& prefix, const std::vector<Row>& rows,
               Key key_of) {
  std::set<std::string, std::less<>> keys;
  for (const auto& row : rows) {
    auto key = key_of(row);
    // A full board shows what it has room for.
    (void)board.set(prefix + key, json::serialize(to_json(row)));
    keys.insert(std::move(key));
  }
  board.drop_others(prefix, [&](std::string_view key) { return keys.contains(key); });
}

}  // namespace

std::string without_clocks(const json::value& status) {
  auto copy = status;
  if (!copy.is_object()) return {};
  copy.as_object().erase("at");
  const auto part = [](json::value* of, const char* name) {
    auto* inner = of == nullptr ? nullptr : of->if_object();
    return inner == nullptr ? nullptr : inner->if_contains(name);
  };
  auto* node = part(part(&copy, "status"), "node");
  if (node != nullptr && node->is_object()) node->as_object().erase("uptime_seconds");
  return json::serialize(copy);
}

void show_overview(web::Board& board, const control::OverviewReply& overview) {
  const auto status = status_of(overview);
  const auto before = board.value("status");
  boost::system::error_code failed;
  const auto told = before ? json::parse(*before, failed) : json::value();
  if (!before || failed || without_clocks(told) != without_clocks(status)) {
    (void)board.set("status", json::serialize(status));
  }
  show_rows(board, "masternode/", overview.masternodes,
            [](const auto& row) { return row.ip.to_string(); });
  show_rows(board, "alert/", overview.alerts,
            [](const auto& row) { return std::string(name_of(row.rule)) + "/" + row.object; });
}

void show_events(web::Board& board, const std::vector<ShownEvent>& events, bool anew) {
  if (anew) board.drop_others("event/", [](std::string_view) { return false; });
  for (const auto& event : events) {
    (void)board.set("event/" + number_text(event.number), event.json);
  }
  if (events.empty()) return;
  const auto keys = board.keys("event/");
  for (std::size_t i = 0; i + kShownEvents < keys.size(); ++i) board.drop(keys[i]);
}

}  // namespace timectl
