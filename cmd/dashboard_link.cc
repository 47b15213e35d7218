#include "cmd/dashboard_link.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>

#include "daemon/core/events.h"

namespace timectl::cmd {

std::string dashboard_link(const std::string& url, const std::string& token_file) {
  std::array<char, 129> buffer{};  // the longest token, and one more
  std::ifstream file(token_file);
  file.read(buffer.data(), buffer.size());
  std::string token(buffer.data(),
                    static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  token.resize(std::min(token.find('\n'), token.size()));
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
  };
  if (token.empty() || token.size() == buffer.size() || !std::ranges::all_of(token, fits))
    return {};
  return url + "?token=" + token;
}

std::string dashboard_text(const control::NetworkInfo& info) {
  constexpr std::size_t kLongestPath = 4000;
  if (!info.dashboard_url) {
    return info.dashboard_off_because.empty()
               ? "unknown"
               : "off: " + printable(info.dashboard_off_because, kLongestPath);
  }
  const auto file = info.dashboard_token_file.value_or("");
  const auto link = dashboard_link(*info.dashboard_url, file);
  if (!link.empty()) return printable(link, kLongestPath);
  return printable(*info.dashboard_url, kLongestPath) + " (its token is in " +
         printable(file, kLongestPath) + ", which you cannot read)";
}

}  // namespace timectl::cmd
