#pragma once
// Words of the file from described enums. Used by the key table and where lists of the file hold
// words. An enumerator with a trailing underscore is spelled without it.

#include <string>
#include <string_view>
#include <vector>

#include "config/keys.h"
#include "daemon/core/reflect.h"

namespace timectl::config {

[[nodiscard]] constexpr std::string_view spelled(std::string_view enumerator) {
  return enumerator.ends_with('_') ? enumerator.substr(0, enumerator.size() - 1) : enumerator;
}

template <class E>
[[nodiscard]] std::string spelling_of(E value) {
  return std::string(spelled(name_of(value)));
}

template <class E>
[[nodiscard]] Word word(E& member) {
  return {&member,
          [](void* target, std::string_view text) {
            for (const auto name : names_of<E>()) {
              if (spelled(name) != text) continue;
              *static_cast<E*>(target) = *value_of<E>(name);
              return true;
            }
            return false;
          },
          [](const void* target) { return spelling_of(*static_cast<const E*>(target)); },
          [] {
            std::vector<std::string> words;
            for (const auto name : names_of<E>()) words.emplace_back(spelled(name));
            return words;
          }};
}

}  // namespace timectl::config
