#pragma once
// Words of the file from described enums. Used by the key table and where lists of the file hold
// words.

#include <string>
#include <string_view>
#include <vector>

#include "config/keys.h"
#include "daemon/core/reflect.h"

namespace timectl::config {

template <class E>
[[nodiscard]] std::string spelling_of(E value) {
  return std::string(name_of(value));
}

template <class E>
[[nodiscard]] Word word(E& member) {
  return {&member,
          [](void* target, std::string_view text) {
            const auto value = value_of<E>(text);
            if (value) *static_cast<E*>(target) = *value;
            return value.has_value();
          },
          [](const void* target) { return spelling_of(*static_cast<const E*>(target)); },
          [] {
            std::vector<std::string> words;
            for (const auto name : names_of<E>()) words.emplace_back(name);
            return words;
          }};
}

}  // namespace timectl::config
