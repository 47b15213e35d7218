// One address a line, then fields:
//   203.0.113.7 label=berlin liveness=lenient reason="my second masternode"  # a comment
#include <algorithm>
#include <set>

#include "config/problem.h"
#include "config/whitelist_file.h"
#include "daemon/core/reflect.h"

namespace timectl::config {
namespace {

constexpr std::size_t kLongestLine = 4096;  // an entry with every field at its limit is shorter

// The words of one line. After wrong() is not empty nothing more is to be taken.
class Words {
 public:
  explicit Words(std::string_view line) : line_(line) {}

  // The next run of bytes up to a blank; empty at the end or before a comment.
  std::string_view plain() {
    skip_blanks();
    if (at_ < line_.size() && line_[at_] == '#') at_ = line_.size();
    return run([](char c) { return c != ' ' && c != '\t'; });
  }
  // The name of a field, with its `=` taken; empty at the end.
  std::string_view name() {
    skip_blanks();
    if (at_ >= line_.size() || line_[at_] == '#') return {};
    const auto found = run([](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    if (found.empty() || at_ >= line_.size() || line_[at_] != '=') {
      wrong_ =
          "after the address come fields: label=NAME liveness=WORD trusts_us=true "
          "expires_at=TIME reason=\"TEXT\"";
      return {};
    }
    ++at_;
    return found;
  }
  std::string value() {
    if (at_ >= line_.size() || line_[at_] != '"') {
      return std::string(run([](char c) { return c != ' ' && c != '\t'; }));
    }
    std::string text;
    for (++at_; at_ < line_.size() && line_[at_] != '"'; ++at_) {
      if (line_[at_] == '\\' && at_ + 1 < line_.size()) ++at_;
      text += line_[at_];
    }
    if (at_ >= line_.size()) {
      wrong_ = "the text in quotes is not closed in its line";
      return {};
    }
    ++at_;
    if (at_ < line_.size() && line_[at_] != ' ' && line_[at_] != '\t') {
      wrong_ = "after a text in quotes comes a blank";
    }
    return text;
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  void skip_blanks() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
  }
  template <class Belongs>
  std::string_view run(Belongs belongs) {
    const auto start = at_;
    while (at_ < line_.size() && belongs(line_[at_])) ++at_;
    return line_.substr(start, at_ - start);
  }

  std::string_view line_;
  std::size_t at_ = 0;
  std::string wrong_;
};

// Empty: taken over.
std::string set_field(ListedPeer& peer, const std::string& name, std::string value) {
  if (value.empty()) return name + " has no value";
  if (name == "label") {
    peer.label = std::move(value);
  } else if (name == "reason") {
    peer.reason = std::move(value);
  } else if (name == "liveness") {
    peer.liveness = value_of<LivenessProfile>(value);
    if (!peer.liveness) return "liveness is one of: normal, lenient, never";
  } else if (name == "trusts_us") {
    if (value != "true" && value != "false") return "trusts_us is true or false";
    peer.trusts_us = value == "true";
  } else if (name == "expires_at") {
    const auto at = parse_rfc3339(value);
    if (!at) return "expires_at is a time like 2027-01-31T00:00:00Z";
    peer.expires_at = *at;
  } else {
    const auto like = nearest(name, {"label", "reason", "liveness", "trusts_us", "expires_at"});
    return "there is no field " + name + (like.empty() ? "" : "; did you mean " + like + "?");
  }
  return {};
}

void read_line(std::string_view line, std::string place, ListBuilder& builder) {
  Words words(line);
  const auto address = words.plain();
  if (address.empty()) return;
  if (line.size() > kLongestLine) return builder.bad(place, address, "the line is too long");
  const auto ip = IpAddress::parse(address);
  if (!ip) {
    return builder.bad(place, address,
                       ip.error().because.empty() ? ip.error().message : ip.error().because);
  }
  ListedPeer peer{.ip = *ip};
  std::set<std::string> seen;
  for (std::string name(words.name()); !name.empty(); name = words.name()) {
    auto value = words.value();
    if (!words.wrong().empty()) break;
    auto why = seen.insert(name).second ? set_field(peer, name, std::move(value))
                                        : name + " is given twice";
    if (!why.empty()) return builder.bad(std::move(place), line, why);
  }
  if (!words.wrong().empty()) return builder.bad(std::move(place), line, words.wrong());
  builder.add(std::move(peer), std::move(place));
}

}  // namespace

void read_text_list(std::string_view text, ListBuilder& builder) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto place = "line " + std::to_string(number);
    if (builder.full(place)) return;
    read_line(line, place, builder);
  }
}

}  // namespace timectl::config
