#include "daemon/wire/fields.h"

#include <boost/describe/enum_from_string.hpp>
#include <boost/json/array.hpp>
#include <charconv>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "daemon/wire/codec.h"
#include "daemon/wire/ed25519.h"
#include "daemon/wire/schema.h"
#include "daemon/wire/utf8.h"

namespace timectl::wire {
namespace {

namespace json = boost::json;

json::string json_text(Text text) {
  return json::string(text.data(), text.size());
}

std::string key_of(JsonKeys keys, std::size_t index, const char* name) {
  return keys == JsonKeys::positions ? std::to_string(index) : std::string(name);
}

template <class T>
json::value to_json(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return json::value(value);
  } else if constexpr (std::is_enum_v<T>) {
    return json::value(boost::describe::enum_to_string(value, "?"));
  } else if constexpr (std::is_integral_v<T> && sizeof(T) < 8) {
    return json::value(static_cast<std::int64_t>(value));
  } else if constexpr (std::is_integral_v<T>) {
    return json::value(std::to_string(value));
  } else if constexpr (std::is_same_v<T, Uint128>) {
    return json::value(to_decimal(value));
  } else if constexpr (std::is_same_v<T, Text>) {
    return json::value(json_text(value));
  } else if constexpr (std::is_same_v<T, Bytes> || ByteArray<T>) {
    return json::value(to_hex(Bytes(value)));
  } else if constexpr (std::is_same_v<T, PublicKey>) {
    return json::value(to_hex(value.bytes));
  } else if constexpr (Optional<T>) {
    return value ? to_json(*value) : json::value(nullptr);
  } else if constexpr (ListOfItems<T>) {
    json::array items;
    items.reserve(value.size());
    for (const auto& item : value) items.push_back(to_json(item));
    return items;
  } else if constexpr (Choice<T>) {
    return std::visit(
        []<class A>(const A& alternative) -> json::value {
          if constexpr (boost::mp11::mp_size<Members<A>>::value == 0) {
            return json::value(type_name<A>());
          } else {
            json::object object;
            object.emplace(type_name<A>(), to_json(alternative));
            return object;
          }
        },
        value);
  } else if constexpr (json_keys_of<T>() == JsonKeys::none) {
    json::array items;
    for_each_member<T>(
        [&](auto member) { items.push_back(to_json(value.*decltype(member)::pointer)); });
    return items;
  } else {
    json::object object;
    std::size_t index = 0;
    for_each_member<T>([&](auto member) {
      object.emplace(key_of(json_keys_of<T>(), index++, member.name),
                     to_json(value.*decltype(member)::pointer));
    });
    return object;
  }
}

// Reads values out of JSON; the first problem is kept with the path that led to it.
class FieldReader {
 public:
  explicit FieldReader(Arena& arena) : arena_(arena) {}

  [[nodiscard]] FieldsError take_error() {
    error_.path.insert(0, "fields");
    return std::move(error_);
  }

  template <class T>
  bool read(const json::value& from, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      if (!from.is_bool()) return fail("wants true or false");
      value = from.get_bool();
      return true;
    } else if constexpr (std::is_enum_v<T>) {
      if (!from.is_string()) return fail("wants the name of a value");
      const json::string& name = from.get_string();
      if (boost::describe::enum_from_string(std::string(name).c_str(), value)) return true;
      return fail("unknown name");
    } else if constexpr (std::is_integral_v<T>) {
      return read_integer(from, value);
    } else if constexpr (std::is_same_v<T, Uint128>) {
      if (!from.is_string()) return fail("wants a decimal string");
      const auto number = uint128_from_decimal(from.get_string());
      if (!number) return fail("wants a decimal string of at most 128 bits");
      value = *number;
      return true;
    } else if constexpr (std::is_same_v<T, Text>) {
      return read_text(from, value);
    } else if constexpr (std::is_same_v<T, Bytes>) {
      return read_bytes(from, value);
    } else if constexpr (ByteArray<T>) {
      return read_array(from, value);
    } else if constexpr (std::is_same_v<T, PublicKey>) {
      if (!read_array(from, value.bytes)) return false;
      return decompresses(value.bytes) || fail("is not a point of the curve");
    } else if constexpr (Optional<T>) {
      value.reset();
      return from.is_null() || read(from, value.emplace());
    } else if constexpr (ListOfItems<T>) {
      return read_list(from, value);
    } else if constexpr (Choice<T>) {
      return read_choice(from, value);
    } else if constexpr (json_keys_of<T>() == JsonKeys::none) {
      return read_tuple(from, value);
    } else {
      return read_struct(from, value);
    }
  }

  bool fail(std::string problem) {
    if (error_.problem.empty()) error_.problem = std::move(problem);
    return false;
  }

 private:
  // The path is put together on the way out of a failure, so that success pays nothing for it.
  template <class T>
  bool read_item(std::size_t index, const json::value& from, T& value) {
    if (read(from, value)) return true;
    std::string step(1, '[');
    step.append(std::to_string(index)).append(1, ']');
    error_.path.insert(0, step);
    return false;
  }

  template <class T>
  bool read_member(std::string_view key, const json::value& from, T& value) {
    if (read(from, value)) return true;
    error_.path.insert(0, key);
    error_.path.insert(0, 1, '.');
    return false;
  }

  template <class T>
  bool read_integer(const json::value& from, T& value) {
    const auto refuse = [this] {
      std::string wish("wants an integer from ");
      wish.append(std::to_string(std::numeric_limits<T>::min())).append(" to ");
      wish.append(std::to_string(std::numeric_limits<T>::max()));
      return fail(wish.append(sizeof(T) == 8 ? ", as a decimal string" : ""));
    };
    if (sizeof(T) == 8 && from.is_string()) {
      const std::string_view text = from.get_string();
      const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (problem != std::errc{} || end != text.data() + text.size()) return refuse();
      // One spelling per number, so that encode and decode are inverses.
      return std::to_string(value) == text || refuse();
    }
    if (const auto* number = from.if_int64(); number && std::in_range<T>(*number)) {
      value = static_cast<T>(*number);
      return true;
    }
    if (const auto* number = from.if_uint64(); number && std::in_range<T>(*number)) {
      value = static_cast<T>(*number);
      return true;
    }
    return refuse();
  }

  bool read_text(const json::value& from, Text& value) {
    if (!from.is_string()) return fail("wants a string");
    const json::string& text = from.get_string();
    if (!is_utf8(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())) {
      return fail("is not UTF-8");
    }
    auto* copy = arena_.room_for<char>(text.size());
    if (copy == nullptr && !text.empty()) return fail("is too large");
    if (!text.empty()) std::memcpy(copy, text.data(), text.size());
    value = Text(copy, text.size());
    return true;
  }

  bool read_hex(const json::value& from, std::uint8_t* into, std::size_t size) {
    const json::string& text = from.get_string();
    for (std::size_t i = 0; i < size; ++i) {
      const int high = hex_digit(text[2 * i]);
      const int low = hex_digit(text[2 * i + 1]);
      if (high < 0 || low < 0) return fail("has something else than hex digits");
      into[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return true;
  }

  bool read_bytes(const json::value& from, Bytes& value) {
    if (!from.is_string()) return fail("wants a hex string");
    const std::size_t size = from.get_string().size() / 2;
    if (from.get_string().size() % 2 != 0) return fail("has an odd number of hex digits");
    auto* copy = arena_.room_for<std::uint8_t>(size);
    if (copy == nullptr && size > 0) return fail("is too large");
    if (!read_hex(from, copy, size)) return false;
    value = Bytes(copy, size);
    return true;
  }

  template <std::size_t N>
  bool read_array(const json::value& from, std::array<std::uint8_t, N>& value) {
    if (!from.is_string() || from.get_string().size() != 2 * N) {
      return fail(std::to_string(2 * N).insert(0, "wants ").append(" hex digits"));
    }
    return read_hex(from, value.data(), N);
  }

  template <ListOfItems L>
  bool read_list(const json::value& from, L& value) {
    using T = typename L::value_type;
    if (!from.is_array()) return fail("wants an array");
    const json::array& items = from.get_array();
    value = {};
    if (items.empty()) return true;
    T* copies = arena_.room_for<T>(items.size());
    if (copies == nullptr) return fail("has too many items");
    for (std::size_t i = 0; i < items.size(); ++i) {
      T* copy = std::construct_at(copies + i);
      if (!read_item(i, items[i], *copy)) return false;
    }
    value = L(copies, items.size());
    return true;
  }

  template <class... A>
  bool read_choice(const json::value& from, std::variant<A...>& value) {
    std::string_view name;
    const json::value* content = nullptr;
    if (from.is_string()) {
      name = from.get_string();
    } else if (from.is_object() && from.get_object().size() == 1) {
      name = from.get_object().begin()->key();
      content = &from.get_object().begin()->value();
    } else {
      return fail("wants the name of a value, or an object with one");
    }
    bool known = false;
    bool good = false;
    const auto attempt = [&]<class T>(std::type_identity<T>) {
      constexpr bool bare = boost::mp11::mp_size<Members<T>>::value == 0;
      if (known || name != type_name<T>()) return;
      known = true;
      T& alternative = value.template emplace<T>();
      if (bare != (content == nullptr)) {
        good = fail(bare ? "has no fields: wants just its name" : "wants its fields in an object");
      } else {
        good = bare || read_member(name, *content, alternative);
      }
    };
    (attempt(std::type_identity<A>{}), ...);
    return known ? good : fail("unknown name");
  }

  template <class T>
  bool read_tuple(const json::value& from, T& value) {
    constexpr std::size_t count = boost::mp11::mp_size<Members<T>>::value;
    if (!from.is_array() || from.get_array().size() != count) {
      return fail(std::to_string(count).insert(0, "wants an array of ").append(" items"));
    }
    std::size_t index = 0;
    bool good = true;
    for_each_member<T>([&](auto member) {
      const std::size_t i = index++;
      good = good && read_item(i, from.get_array()[i], value.*decltype(member)::pointer);
    });
    return good;
  }

  template <class T>
  bool read_struct(const json::value& from, T& value) {
    constexpr std::size_t count = boost::mp11::mp_size<Members<T>>::value;
    if (!from.is_object()) return fail("wants an object");
    const json::object& object = from.get_object();
    std::size_t index = 0;
    bool good = true;
    for_each_member<T>([&](auto member) {
      if (!good) return;
      const std::string key = key_of(json_keys_of<T>(), index++, member.name);
      const json::value* content = object.if_contains(key);
      good = content == nullptr ? fail(std::string("lacks \"").append(key).append(1, '"'))
                                : read_member(key, *content, value.*decltype(member)::pointer);
    });
    if (!good) return false;
    // All wanted keys are there: more keys means an unknown one.
    return object.size() == count || fail("has a field too many");
  }

  Arena& arena_;
  FieldsError error_;
};

}  // namespace

json::object to_fields(const Message& message) {
  return std::visit([](const auto& alternative) { return to_json(alternative).as_object(); },
                    message);
}

boost::system::result<Message, FieldsError> from_fields(std::string_view variant,
                                                        const json::value& fields, Arena& arena) {
  const std::size_t index = message_index(variant);
  if (index == message_count) {
    return FieldsError{"variant",
                       std::string("no message has the name \"").append(variant).append(1, '"')};
  }
  arena.begin(max_decoded_size, 4096);
  FieldReader reader(arena);
  boost::system::result<Message, FieldsError> result{Message{}};
  bool good = false;
  boost::mp11::mp_with_index<message_count>(
      index, [&](auto i) { good = reader.read(fields, result->template emplace<i>()); });
  if (!good) return reader.take_error();
  return result;
}

void throw_exception_from_error(const FieldsError& error, const boost::source_location&) {
  throw std::logic_error("no message was read: " + error.path + " " + error.problem);
}

}  // namespace timectl::wire
