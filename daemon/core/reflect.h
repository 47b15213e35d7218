#pragma once
// Names from descriptions: one BOOST_DESCRIBE per type gives the words that are printed, sent
// and stored. No hand-written name table beside an enum.

#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace timectl {

// An enumerator that would be a word of the language ends in an underscore, its name does not.
[[nodiscard]] constexpr std::string_view plain_name(std::string_view enumerator) {
  return enumerator.ends_with('_') ? enumerator.substr(0, enumerator.size() - 1) : enumerator;
}

template <class E>
[[nodiscard]] constexpr std::string_view name_of(E value) {
  return plain_name(boost::describe::enum_to_string(value, "?"));
}

template <class E>
[[nodiscard]] std::optional<E> value_of(std::string_view name) {
  std::optional<E> found;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
    if (name == plain_name(d.name)) found = d.value;
  });
  return found;
}

template <class E>
[[nodiscard]] std::vector<std::string_view> names_of() {
  std::vector<std::string_view> names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>(
      [&](auto d) { names.push_back(plain_name(d.name)); });
  return names;
}

// Calls visit(name, member reference) for each described member, bases first, in the order of
// declaration.
template <class T, class Visit>
void for_each_member(T& object, Visit&& visit) {
  using Plain = std::remove_const_t<T>;
  using Members = boost::describe::describe_members<Plain, boost::describe::mod_public |
                                                               boost::describe::mod_inherited>;
  boost::mp11::mp_for_each<Members>([&](auto d) { visit(d.name, object.*d.pointer); });
}

}  // namespace timectl
