#pragma once
// JSON of described structs, both ways: one BOOST_DESCRIBE gives the keys. Used by store (audit
// rows), control (requests and replies) and cmd (--json); the core's own .cc files do not include
// it. Times are RFC 3339 UTC, durations seconds, unknown is null. from_json names the missing,
// unknown or malformed field (Boost.JSON 1.81's value_to demands the exact key set and does not).

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/reflect.h"
#include "daemon/core/result.h"
#include "daemon/core/time.h"

namespace timectl {

namespace json = boost::json;

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;
template <class T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

[[nodiscard]] inline json::value to_json(const json::value& v) {
  return v;
}
[[nodiscard]] inline json::value to_json(bool v) {
  return v;
}
[[nodiscard]] inline json::value to_json(const std::string& v) {
  return json::string(v);
}
[[nodiscard]] inline json::value to_json(std::string_view v) {
  return json::string(v);
}
[[nodiscard]] inline json::value to_json(const char* v) {
  return json::string(v);
}
[[nodiscard]] inline json::value to_json(const IpAddress& v) {
  return json::string(v.to_string());
}
[[nodiscard]] inline json::value to_json(WallTime v) {
  return json::string(rfc3339(v));
}
[[nodiscard]] inline json::value to_json(Duration v) {
  return seconds(v);
}
template <class T>
requires std::is_arithmetic_v<T>
[[nodiscard]] json::value to_json(T v) {
  return v;
}
template <DescribedEnum E>
[[nodiscard]] json::value to_json(E v) {
  return json::string(name_of(v));
}
template <Described T>
[[nodiscard]] json::value to_json(const T& v);
template <class T>
[[nodiscard]] json::value to_json(const std::optional<T>& v);
template <class T>
[[nodiscard]] json::value to_json(const std::vector<T>& v) {
  json::array array;
  array.reserve(v.size());
  for (const auto& item : v) array.push_back(to_json(item));
  return array;
}
template <class T>
json::value to_json(const std::optional<T>& v) {
  return v ? to_json(*v) : json::value(nullptr);
}
template <Described T>
json::value to_json(const T& v) {
  json::object object;
  for_each_member(
      v, [&](const char* name, const auto& member) { object.emplace(name, to_json(member)); });
  return object;
}

[[nodiscard]] inline Error bad_field(const std::string& path, const std::string& what) {
  return Error{Code::bad_data, path.empty() ? what : "field `" + path + "`: " + what};
}

[[nodiscard]] inline Result<void> from_json(const json::value& v, bool& out,
                                            const std::string& path) {
  if (!v.is_bool()) return bad_field(path, "must be true or false");
  out = v.get_bool();
  return {};
}
[[nodiscard]] inline Result<void> from_json(const json::value& v, std::string& out,
                                            const std::string& path) {
  if (!v.is_string()) return bad_field(path, "must be a string");
  out.assign(v.get_string().data(), v.get_string().size());
  return {};
}
template <class T>
requires std::is_arithmetic_v<T>
[[nodiscard]] Result<void> from_json(const json::value& v, T& out, const std::string& path) {
  boost::system::error_code failed;
  const T number = v.to_number<T>(failed);
  if (failed || !v.is_number()) return bad_field(path, "must be a number in range");
  out = number;
  return {};
}
[[nodiscard]] inline Result<void> from_json(const json::value& v, json::value& out,
                                            const std::string&) {
  out = v;
  return {};
}
[[nodiscard]] inline Result<void> from_json(const json::value& v, IpAddress& out,
                                            const std::string& path) {
  if (!v.is_string()) return bad_field(path, "must be an IP address");
  auto ip = IpAddress::parse({v.get_string().data(), v.get_string().size()});
  if (!ip) return ip.error();
  out = *ip;
  return {};
}
[[nodiscard]] inline Result<void> from_json(const json::value& v, WallTime& out,
                                            const std::string& path) {
  if (!v.is_string()) return bad_field(path, "must be an RFC 3339 time");
  auto at = parse_rfc3339({v.get_string().data(), v.get_string().size()});
  if (!at) return bad_field(path, at.error().message);
  out = *at;
  return {};
}
[[nodiscard]] inline Result<void> from_json(const json::value& v, Duration& out,
                                            const std::string& path) {
  double value = 0;
  if (auto ok = from_json(v, value, path); !ok) return ok;
  if (!(value >= 0 && value <= 3.2e8)) return bad_field(path, "must be 0 to 320000000 seconds");
  out = Duration(static_cast<Duration::rep>(value * 1e6));
  return {};
}
template <DescribedEnum E>
[[nodiscard]] Result<void> from_json(const json::value& v, E& out, const std::string& path) {
  if (v.is_string()) {
    if (auto e = value_of<E>({v.get_string().data(), v.get_string().size()})) {
      out = *e;
      return {};
    }
  }
  std::string names;
  for (auto name : names_of<E>()) names += (names.empty() ? "" : ", ") + std::string(name);
  return bad_field(path, "must be one of " + names);
}
template <Described T>
[[nodiscard]] Result<void> from_json(const json::value& v, T& out, const std::string& path);
template <class T>
[[nodiscard]] Result<void> from_json(const json::value& v, std::optional<T>& out,
                                     const std::string& path) {
  if (v.is_null()) {
    out.reset();
    return {};
  }
  return from_json(v, out.emplace(), path);
}
template <class T>
[[nodiscard]] Result<void> from_json(const json::value& v, std::vector<T>& out,
                                     const std::string& path) {
  if (!v.is_array()) return bad_field(path, "must be an array");
  out.clear();
  out.reserve(v.get_array().size());
  for (const auto& item : v.get_array()) {
    if (auto ok =
            from_json(item, out.emplace_back(), path + "[" + std::to_string(out.size() - 1) + "]");
        !ok) {
      return ok;
    }
  }
  return {};
}
// Missing members keep their default unless the caller checks; unknown ones are refused by name.
template <Described T>
Result<void> from_json(const json::value& v, T& out, const std::string& path) {
  if (!v.is_object()) return bad_field(path, "must be an object");
  const auto& object = v.get_object();
  std::size_t used = 0;
  Result<void> result;
  for_each_member(out, [&](const char* name, auto& member) {
    const auto* value = object.if_contains(name);
    if (value == nullptr) return;
    ++used;
    if (!result) return;
    result = from_json(*value, member, path.empty() ? name : path + "." + name);
  });
  if (!result || used == object.size()) return result;
  for (const auto& pair : object) {
    bool known = false;
    const std::string_view key(pair.key().data(), pair.key().size());
    for_each_member(out, [&](const char* name, auto&) { known = known || key == name; });
    if (!known)
      return bad_field(path.empty() ? std::string(key) : path + "." + std::string(key),
                       "is unknown");
  }
  return result;
}

}  // namespace timectl
