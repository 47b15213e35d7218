// The words of a script.
#include <charconv>

#include "tests/support/scripted_peer.h"

namespace timectl::test {
namespace {

template <class T>
bool number(std::string_view text, T& into) {
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, into);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

template <class T>
bool number(std::string_view text, std::optional<T>& into) {
  return number(text, into.emplace());
}

template <std::size_t N>
bool hex(std::string_view text, std::optional<std::array<std::uint8_t, N>>& into) {
  const auto bytes = wire::from_hex(text);
  if (!bytes || bytes->size() != N) return false;
  std::copy(bytes->begin(), bytes->end(), into.emplace().begin());
  return true;
}

bool set_flag(Script& script, std::string_view word) {
  const std::pair<std::string_view, bool Script::*> flags[] = {
      {"accept-then-close", &Script::accept_then_close},
      {"silent", &Script::silent},
      {"no-tls", &Script::no_tls},
      {"close-after-tls", &Script::close_after_tls},
      {"version-alert", &Script::version_alert},
      {"no-handshake", &Script::no_handshake},
      {"no-ack", &Script::no_ack},
      {"other-frames", &Script::other_frames},
      {"redirect", &Script::redirect},
      {"drop-pongs", &Script::drop_pongs},
      {"evict-on-second", &Script::evict_on_second}};
  for (const auto& [name, member] : flags) {
    if (name == word) return script.*member = true;
  }
  return false;
}

bool span(std::string_view text, std::chrono::milliseconds& into) {
  double seconds = 0;
  if (!number(text, seconds) || !(seconds >= 0 && seconds < 1e6)) return false;
  into = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3));
  return true;
}

// "H:HEX"
bool hash_of_height(std::string_view text, Script& script) {
  const auto colon = text.find(':');
  std::uint64_t height = 0;
  std::optional<wire::Hash32> hash;
  if (colon == std::string_view::npos || !number(text.substr(0, colon), height) ||
      !hex(text.substr(colon + 1), hash)) {
    return false;
  }
  script.hash_at[height] = *hash;
  return true;
}

// "SEED:COUNT"
bool chain_of(std::string_view text, Script& script) {
  const auto colon = text.find(':');
  auto& chain = script.generated_chain.emplace();
  return colon != std::string_view::npos && number(text.substr(0, colon), chain.seed) &&
         number(text.substr(colon + 1), chain.count);
}

bool chain_fault(std::string_view text, Script& script) {
  const auto fault = parse_chain_fault(text);
  if (fault) script.chain_faults.push_back(*fault);
  return fault.has_value();
}

bool set_value(Script& script, std::string_view name, std::string_view value) {
  if (name == "ack-after") {
    std::int64_t milliseconds = 0;
    if (!number(value, milliseconds)) return false;
    script.ack_after = std::chrono::milliseconds(milliseconds);
    return true;
  }
  if (name == "magic") return hex(value, script.magic);
  if (name == "genesis") return hex(value, script.genesis);
  if (name == "proto") return number(value, script.proto);
  if (name == "commit") return number(value, script.commit);
  if (name == "height") return number(value, script.height);
  if (name == "frame-len") return number(value, script.frame_len);
  if (name == "tip") return hex(value, script.tip);
  if (name == "hash-at") return hash_of_height(value, script);
  if (name == "chain") return chain_of(value, script);
  if (name == "chain-fault") return chain_fault(value, script);
  if (name == "clock")
    return number(value.starts_with('+') ? value.substr(1) : value, script.clock);
  if (name == "ban-after") return number(value, script.ban_after);
  if (name == "flap") return span(value, script.flap.emplace());
  if (name == "drop-pongs") {
    script.drop_pongs = true;
    return span(value, script.drop_pongs_for);
  }
  if (name != "record") return false;
  script.record = value;
  return true;
}

}  // namespace

Result<Script> parse_script(std::string_view text) {
  Script script;
  while (!text.empty()) {
    if (text.starts_with("notice=")) {
      script.notice = text.substr(7);
      break;
    }
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const auto equals = word.find('=');
    const bool known = equals == std::string_view::npos
                           ? set_flag(script, word)
                           : set_value(script, word.substr(0, equals), word.substr(equals + 1));
    if (!known) {
      return Error{Code::invalid_argument, "no such word in a script: " + std::string(word)};
    }
  }
  return script;
}

}  // namespace timectl::test
