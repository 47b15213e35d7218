// Plain types: those of a fixed size of which any bytes are good, such as integers, hashes and
// structs of them. The reader (bincode.h) checks a run of plain members once and copies it.
#pragma once

#include <cstring>

#include "daemon/wire/schema.h"

namespace timectl::wire {

// The encoded size of a plain T, 0 of any other.
template <class T>
constexpr std::size_t plain_size() {
  if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T> || std::is_same_v<T, PublicKey>) {
    return 0;
  } else if constexpr (std::is_integral_v<T> || ByteArray<T> || std::is_same_v<T, Uint128>) {
    return min_size<T>();
  } else if constexpr (Described<T>) {
    std::size_t size = 0;
    bool plain = newer_members_of<T>() == 0;
    for_each_member<T>([&](auto member) {
      constexpr std::size_t part = plain_size<MemberType<T, decltype(member)>>();
      plain = plain && part > 0;
      size += part;
    });
    return plain ? size : 0;
  } else {
    return 0;
  }
}

// Copies a T out of plain_size<T>() bytes.
template <class T>
[[gnu::always_inline]] inline void read_plain(const std::uint8_t* at, T& value) {
  if constexpr (std::is_integral_v<T> || ByteArray<T>) {
    std::memcpy(&value, at, sizeof(T));
  } else if constexpr (std::is_same_v<T, Uint128>) {
    std::memcpy(&value.low, at, 8);
    std::memcpy(&value.high, at + 8, 8);
  } else {
    for_each_member<T>([&](auto member) {
      auto& field = value.*decltype(member)::pointer;
      read_plain(at, field);
      at += plain_size<std::remove_cvref_t<decltype(field)>>();
    });
  }
}

// The size of the plain members D... of T begins with, counting the first `Kept` ones.
template <class T, std::size_t Kept, class... D>
constexpr std::size_t run_size() {
  std::size_t size = 0;
  std::size_t index = 0;
  bool plain = true;
  ((plain = plain && index++ < Kept && plain_size<MemberType<T, D>>() > 0,
    size += plain ? plain_size<MemberType<T, D>>() : 0),
   ...);
  return size;
}

}  // namespace timectl::wire
