// What the codec, the JSON form and the hashes know about a wire struct: its described members, its
// printed name, how its fields are keyed and the smallest number of bytes it can take. Everything
// is derived from the one BOOST_DESCRIBE_STRUCT of the struct. Included by the few .cc files that
// instantiate those generic algorithms, not by their users.
#pragma once

#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "daemon/wire/bytes.h"
#include "daemon/wire/lazy_list.h"

namespace timectl::wire {

template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class T>
concept Described =
    std::is_class_v<T> && boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;

template <class T>
concept DescribedEnum = std::is_enum_v<T>;

template <class T>
struct IsByteArray : std::false_type {};
template <std::size_t N>
struct IsByteArray<std::array<std::uint8_t, N>> : std::true_type {};
template <class T>
concept ByteArray = IsByteArray<T>::value;

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
concept Optional = IsOptional<T>::value;

template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<List<T>> : std::true_type {};
template <class T>
struct IsLazyList : std::false_type {};
template <class T>
struct IsLazyList<LazyList<T>> : std::true_type {};
template <class T>
concept ListLeftEncoded = IsLazyList<T>::value;
template <class T>
concept ListOfItems = (IsList<T>::value && !std::is_same_v<T, Bytes>) || ListLeftEncoded<T>;

template <class T>
struct IsVariant : std::false_type {};
template <class... T>
struct IsVariant<std::variant<T...>> : std::true_type {};
template <class T>
concept Choice = IsVariant<T>::value;

// A struct says how it is keyed by `static constexpr JsonKeys json_keys`; by names if it does not.
template <class T>
constexpr JsonKeys json_keys_of() {
  if constexpr (requires { T::json_keys; }) {
    return T::json_keys;
  } else {
    return JsonKeys::names;
  }
}

// How many trailing members older peers do not send (`static constexpr std::size_t newer_members`).
template <class T>
constexpr std::size_t newer_members_of() {
  if constexpr (requires { T::newer_members; }) {
    return T::newer_members;
  } else {
    return 0;
  }
}

// The unqualified name of a type: the names of message variants and enum alternatives are the names
// of their structs.
template <class T>
constexpr std::string_view type_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  const std::size_t start = text.find("T = ") + 4;
  text = text.substr(start, text.find_first_of(";]", start) - start);
  const std::size_t colon = text.rfind("::");
  return colon == std::string_view::npos ? text : text.substr(colon + 2);
}

template <DescribedEnum E>
constexpr std::size_t enumerator_count() {
  return boost::mp11::mp_size<boost::describe::describe_enumerators<E>>::value;
}

// Calls f(descriptor) for every described member, in wire order.
template <class T, class F>
constexpr void for_each_member(F&& f) {
  [&]<class... D>(boost::mp11::mp_list<D...>) {
    (f(D{}), ...);
  }(boost::mp11::mp_rename<Members<T>, boost::mp11::mp_list>{});
}

// The member type behind a descriptor of T.
template <class T, class D>
using MemberType = std::remove_cvref_t<decltype(std::declval<const T&>().*D::pointer)>;

// The least number of bytes an encoded T takes: what a list's count is checked against before
// memory is given to it. `Older` is the form of older peers.
template <class T, bool Older = false>
constexpr std::size_t min_size() {
  if constexpr (std::is_same_v<T, bool> || Optional<T>) {
    return 1;
  } else if constexpr (std::is_enum_v<T>) {
    return 4;
  } else if constexpr (std::is_integral_v<T>) {
    return sizeof(T);
  } else if constexpr (std::is_same_v<T, Uint128>) {
    return 16;
  } else if constexpr (std::is_same_v<T, PublicKey>) {
    return 40;
  } else if constexpr (ByteArray<T>) {
    return std::tuple_size_v<T>;
  } else if constexpr (std::is_same_v<T, Text> || std::is_same_v<T, Bytes> || ListOfItems<T>) {
    return 8;
  } else if constexpr (Choice<T>) {
    return []<class... A>(std::variant<A...>*) {
      return 4 + std::min({min_size<A, Older>()...});
    }(static_cast<T*>(nullptr));
  } else {
    constexpr std::size_t count = boost::mp11::mp_size<Members<T>>::value;
    constexpr std::size_t present = Older ? count - newer_members_of<T>() : count;
    std::size_t size = 0;
    std::size_t index = 0;
    for_each_member<T>([&](auto member) {
      if (index++ < present) size += min_size<MemberType<T, decltype(member)>, Older>();
    });
    return size;
  }
}

}  // namespace timectl::wire
