// The encoding of the network: bincode 1.3 with its default functions, bounded. codec.cc uses it to
// read whole messages; nothing else instantiates it (it is costly to compile). bincode_writer.h
// writes.
//
//   u8..u128, i64   1..16 bytes, little-endian            bool        1 byte, 0 or 1
//   enum            u32 index, then the alternative       option<T>   1 byte 0, or 1 byte 1 + T
//   str, bytes      u64 length + content                  vec<T>      u64 count + elements
//   [u8;N]          N bytes                               struct      its members in order
//   public key      u64 32 + 32 bytes that decompress to a curve point
//
// A Reader promises: it reads nothing outside the payload; a list's count is checked against the
// bytes left (count x least size of an element) before memory is taken, and all memory comes from
// an Arena with a budget; nothing recurses deeper than the types nest. Texts and byte strings are
// not copied; a LazyList is checked like any list, but neither copied nor built.
#pragma once

#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "daemon/wire/arena.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/ed25519.h"
#include "daemon/wire/plain.h"
#include "daemon/wire/schema.h"
#include "daemon/wire/utf8.h"

namespace timectl::wire {

static_assert(std::endian::native == std::endian::little, "integers are copied as they are");

class Reader {
 public:
  enum class Form { current, older };  // older: without the trailing `newer_members` of a struct

  Reader(Bytes payload, Arena& arena, Form form, std::size_t max_public_keys)
      : begin_(payload.data()),
        end_(payload.data() + payload.size()),
        arena_(arena),
        keys_left_(max_public_keys),
        form_(form) {}

  // Reads a T at `at`; returns the place behind it, or nullptr after setting error().
  // The cursor is an argument and not a member so that it stays in a register: stores through byte
  // pointers would force a member to be reloaded after every field.
  template <class T>
  [[nodiscard, gnu::always_inline]] const std::uint8_t* read(const std::uint8_t* at, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      return read_flag(at, value, DecodeErrorKind::invalid_bool);
    } else if constexpr (std::is_enum_v<T>) {
      return read_enum(at, value);
    } else if constexpr (plain_size<T>() > 0) {
      if (left(at) < plain_size<T>()) return find_end<T>(at);
      read_plain(at, value);
      return at + plain_size<T>();
    } else if constexpr (std::is_same_v<T, Text>) {
      return read_text(at, value);
    } else if constexpr (std::is_same_v<T, Bytes>) {
      return read_bytes(at, value);
    } else if constexpr (std::is_same_v<T, PublicKey>) {
      return read_public_key(at, value);
    } else if constexpr (Optional<T>) {
      return read_optional(at, value);
    } else if constexpr (ListLeftEncoded<T>) {
      return read_lazy_list(at, value);
    } else if constexpr (ListOfItems<T>) {
      return read_list(at, value);
    } else if constexpr (Choice<T>) {
      return read_choice(at, value);
    } else {
      return read_struct(at, value);
    }
  }

  // The same, called instead of inlined.
  template <class T>
  [[gnu::noinline]] const std::uint8_t* read_item(const std::uint8_t* at, T& item) {
    return read(at, item);
  }

  [[nodiscard]] const DecodeError& error() const { return error_; }

 private:
  // Where an item stands is known only when the one before it is read, so that waiting for the
  // cache would take more time than all checks. Half a kilobyte ahead is about one block's worth of
  // checking; a hint that points behind the payload does no harm.
  [[gnu::always_inline]] static void prefetch(const std::uint8_t* at) {
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(at) + 512));
  }

  template <class... D>
  struct Types {};

  [[nodiscard]] std::size_t left(const std::uint8_t* at) const {
    return static_cast<std::size_t>(end_ - at);
  }

  [[gnu::cold, gnu::noinline]] const std::uint8_t* fail(DecodeErrorKind kind,
                                                        const std::uint8_t* at) {
    error_ = {kind, static_cast<std::size_t>(at - begin_)};
    return nullptr;
  }

  // Goes over plain items of which the last are missing, to set error().
  template <class T>
  [[gnu::cold]] const std::uint8_t* find_end(const std::uint8_t* at) {
    if constexpr (Described<T>) {
      for_each_member<T>([&](auto member) {
        using M = MemberType<T, decltype(member)>;
        if constexpr (plain_size<M>() > 0) at = at == nullptr ? nullptr : find_end<M>(at);
      });
      return at;
    } else {
      return left(at) < plain_size<T>() ? fail(DecodeErrorKind::unexpected_end, at)
                                        : at + plain_size<T>();
    }
  }

  template <class T, class... D>
  [[gnu::cold, gnu::noinline]] const std::uint8_t* find_end_of_run(const std::uint8_t* at) {
    static_cast<void>((((at = find_end<MemberType<T, D>>(at)) != nullptr) && ...));
    return nullptr;
  }

  const std::uint8_t* read_flag(const std::uint8_t* at, bool& value, DecodeErrorKind otherwise) {
    if (left(at) < 1) return fail(DecodeErrorKind::unexpected_end, at);
    if (*at > 1) return fail(otherwise, at);
    value = *at == 1;
    return at + 1;
  }

  template <class E>
  const std::uint8_t* read_enum(const std::uint8_t* at, E& value) {
    static_assert(std::is_same_v<std::underlying_type_t<E>, std::uint32_t>);
    std::uint32_t index = 0;
    if (left(at) < 4) return fail(DecodeErrorKind::unexpected_end, at);
    std::memcpy(&index, at, 4);
    if (index >= enumerator_count<E>()) return fail(DecodeErrorKind::invalid_enum, at);
    value = static_cast<E>(index);
    return at + 4;
  }

  // The two most frequent items. Inlined by force: called, they cost twice as much.
  [[gnu::always_inline]] const std::uint8_t* read_bytes(const std::uint8_t* at, Bytes& value) {
    std::uint64_t length = 0;
    if (left(at) < 8) return fail(DecodeErrorKind::unexpected_end, at);
    std::memcpy(&length, at, 8);
    if (length > left(at) - 8) return fail(DecodeErrorKind::unexpected_end, at);
    value = Bytes(at + 8, length);
    return at + 8 + length;
  }

  [[gnu::always_inline]] const std::uint8_t* read_text(const std::uint8_t* at, Text& value) {
    Bytes bytes;
    const std::uint8_t* after = read_bytes(at, bytes);
    if (after == nullptr) return nullptr;
    if (!is_ascii(bytes.data(), bytes.size()) && !is_utf8(bytes.data(), bytes.size())) {
      return fail(DecodeErrorKind::invalid_utf8, at + 8);
    }
    value = Text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return after;
  }

  const std::uint8_t* read_public_key(const std::uint8_t* at, PublicKey& value) {
    Bytes bytes;
    const std::uint8_t* after = read_bytes(at, bytes);
    if (after == nullptr) return nullptr;
    if (bytes.size() != 32) return fail(DecodeErrorKind::invalid_public_key, at);
    // Each test of a key costs microseconds: a frame full of keys would cost half a second.
    if (keys_left_ == 0) return fail(DecodeErrorKind::too_many_keys, at);
    --keys_left_;
    std::memcpy(value.bytes.data(), bytes.data(), 32);
    if (!decompresses(value.bytes)) return fail(DecodeErrorKind::invalid_public_key, at + 8);
    return after;
  }

  template <class T>
  const std::uint8_t* read_optional(const std::uint8_t* at, std::optional<T>& value) {
    bool present = false;
    at = read_flag(at, present, DecodeErrorKind::invalid_option);
    if (at == nullptr) return nullptr;
    // Not assigned: the items of a list are read into memory that holds nothing yet.
    if (!present) {
      std::construct_at(&value);
      return at;
    }
    return read(at, **std::construct_at(&value, std::in_place));
  }

  template <class T>
  const std::uint8_t* read_list(const std::uint8_t* at, List<T>& value) {
    constexpr std::size_t least = min_size<T>();
    constexpr std::size_t least_older = min_size<T, true>();
    static_assert(least_older > 0 && least_older <= least);
    static_assert(sizeof(T) + 8 <= max_growth * least_older, "a frame may grow 8 times, not more");
    std::uint64_t count = 0;
    if (left(at) < 8) return fail(DecodeErrorKind::unexpected_end, at);
    std::memcpy(&count, at, 8);
    const std::uint8_t* item = at + 8;
    const std::size_t possible = left(item) / (form_ == Form::current ? least : least_older);
    if (count > possible) return fail(DecodeErrorKind::unexpected_end, at);
    if (count == 0) {
      value = {};
      return item;
    }
    // The room begins the lifetime of the items, and reading one writes all of it: constructing it
    // first would cost a tenth of the whole.
    static_assert(std::is_trivially_copyable_v<T>);
    T* items = arena_.room_for<T>(count);
    if (items == nullptr) return fail(DecodeErrorKind::over_budget, at);
    for (std::size_t i = 0; i < count; ++i) {
      item = read(item, items[i]);
      if (item == nullptr) return nullptr;
    }
    value = List<T>(items, count);
    return item;
  }

  // A list that is checked and left where it is. Nothing that older peers shape otherwise is in
  // one.
  template <class T>
  [[gnu::always_inline]] const std::uint8_t* read_lazy_list(const std::uint8_t* at,
                                                            LazyList<T>& value) {
    std::size_t count = 0;
    const std::uint8_t* after = skip_list<T, 0>(at, count);
    if (after == nullptr) return find_error<T>(at);
    value = LazyList<T>(count, Bytes(at + 8, static_cast<std::size_t>(after - at) - 8));
    return after;
  }

  // Builds the elements of a damaged list one after the other, to set error().
  template <class T>
  [[gnu::cold, gnu::noinline]] const std::uint8_t* find_error(const std::uint8_t* at) {
    std::uint64_t count = 0;
    if (left(at) < 8) return fail(DecodeErrorKind::unexpected_end, at);
    std::memcpy(&count, at, 8);
    if (count > left(at + 8) / min_size<T>()) return fail(DecodeErrorKind::unexpected_end, at);
    at += 8;
    for (T item; at != nullptr; at = read_item(at, item)) {
    }
    return nullptr;
  }

  // skip() makes the checks of read() and no stores; it returns nullptr without an error(). The T
  // starts `Ahead` bytes behind `at`: plain members before it, checked together with it.
  template <class T, std::size_t Ahead>
  [[gnu::always_inline]] const std::uint8_t* skip(const std::uint8_t* at) {
    if constexpr (plain_size<T>() > 0) {
      return left(at) < Ahead + plain_size<T>() ? nullptr : at + Ahead + plain_size<T>();
    } else if constexpr (std::is_same_v<T, bool>) {
      return left(at) < Ahead + 1 || at[Ahead] > 1 ? nullptr : at + Ahead + 1;
    } else if constexpr (std::is_same_v<T, Bytes> || std::is_same_v<T, Text>) {
      std::uint64_t length = 0;
      if (left(at) < Ahead + 8) return nullptr;
      std::memcpy(&length, at + Ahead, 8);
      at += Ahead + 8;
      if (length > left(at)) return nullptr;
      if constexpr (std::is_same_v<T, Text>) {
        if (!is_ascii(at, length) && !is_utf8(at, length)) return nullptr;
      }
      return at + length;
    } else if constexpr (Optional<T>) {
      if (left(at) < Ahead + 1 || at[Ahead] > 1) return nullptr;
      if (at[Ahead] == 0) return at + Ahead + 1;
      return skip<typename T::value_type, 0>(at + Ahead + 1);
    } else if constexpr (ListOfItems<T>) {
      std::size_t count = 0;
      return skip_list<typename T::value_type, Ahead>(at, count);
    } else if constexpr (Choice<T>) {
      return left(at) < Ahead ? nullptr : skip_choice(at + Ahead, static_cast<T*>(nullptr));
    } else {
      static_assert(Described<T>, "keys and enums in lists are built at once");
      return skip_members<Ahead>(at, boost::mp11::mp_rename<Members<T>, Types>{},
                                 std::type_identity<T>{});
    }
  }

  template <std::size_t Ahead, class D, class... More, class T>
  [[gnu::always_inline]] const std::uint8_t* skip_members(const std::uint8_t* at, Types<D, More...>,
                                                          std::type_identity<T> whole) {
    using M = MemberType<T, D>;
    if constexpr (sizeof...(More) == 0) {
      return skip<M, Ahead>(at);
    } else if constexpr (plain_size<M>() > 0) {
      return skip_members<Ahead + plain_size<M>()>(at, Types<More...>{}, whole);
    } else {
      at = skip<M, Ahead>(at);
      return at == nullptr ? nullptr : skip_members<0>(at, Types<More...>{}, whole);
    }
  }

  template <class T, std::size_t Ahead>
  [[gnu::always_inline]] const std::uint8_t* skip_list(const std::uint8_t* at, std::size_t& count) {
    if (left(at) < Ahead + 8) return nullptr;
    std::memcpy(&count, at + Ahead, 8);
    at += Ahead + 8;
    // The count needs no check of its own: no memory is taken, and each element takes bytes.
    static_assert(min_size<T>() > 0 && min_size<T>() == min_size<T, true>());
    for (std::size_t i = 0; i < count && at != nullptr; ++i) {
      prefetch(at);
      at = skip<T, 0>(at);
    }
    return at;
  }

  // Rare: special transactions only.
  template <class... A>
  [[gnu::noinline]] const std::uint8_t* skip_choice(const std::uint8_t* at, std::variant<A...>*) {
    std::uint32_t index = 0;
    if (left(at) < 4) return nullptr;
    std::memcpy(&index, at, 4);
    const std::uint8_t* after = nullptr;
    std::uint32_t candidate = 0;
    static_cast<void>(((index == candidate++ && ((after = skip<A, 0>(at + 4)), true)) || ...));
    return after;
  }

  template <class... A>
  const std::uint8_t* read_choice(const std::uint8_t* at, std::variant<A...>& value) {
    using V = std::variant<A...>;
    using Read = const std::uint8_t* (*)(Reader&, const std::uint8_t*, V&);
    static constexpr std::array<Read, sizeof...(A)> readers{
        [](Reader& reader, const std::uint8_t* from, V& into) {
          std::construct_at(&into, std::in_place_type<A>);
          return reader.read(from, *std::get_if<A>(&into));
        }...};
    std::uint32_t index = 0;
    if (left(at) < 4) return fail(DecodeErrorKind::unexpected_end, at);
    std::memcpy(&index, at, 4);
    if (index >= sizeof...(A)) return fail(DecodeErrorKind::invalid_enum, at);
    return readers[index](*this, at + 4, value);
  }

  template <Described T>
  const std::uint8_t* read_struct(const std::uint8_t* at, T& value) {
    constexpr std::size_t count = boost::mp11::mp_size<Members<T>>::value;
    const std::uint8_t* const start = at;
    at = read_members<0, count - newer_members_of<T>()>(
        at, boost::mp11::mp_rename<Members<T>, Types>{}, value);
    if constexpr (requires { value.raw; }) {
      value.raw = at != nullptr && form_ == Form::current
                      ? Bytes(start, static_cast<std::size_t>(at - start))
                      : Bytes();
    }
    return at;
  }

  // Reads the members listed. Of the next, `Checked` bytes are known to be there: a run of plain
  // members is checked once. The last members stay as they are by default, from the `Kept`th on,
  // in the older form.
  template <std::size_t Checked, std::size_t Kept, class T>
  [[gnu::always_inline]] const std::uint8_t* read_members(const std::uint8_t* at, Types<>, T&) {
    return at;
  }
  template <std::size_t Checked, std::size_t Kept, class D, class... More, class T>
  [[gnu::always_inline]] const std::uint8_t* read_members(const std::uint8_t* at, Types<D, More...>,
                                                          T& value) {
    using M = MemberType<T, D>;
    constexpr std::size_t size = plain_size<M>();
    if constexpr (Kept == 0) {
      if (form_ != Form::current) {
        ((value.*D::pointer = {}), ..., (value.*More::pointer = {}));
        return at;
      }
    }
    constexpr std::size_t kept = Kept == 0 ? sizeof...(More) + 1 : Kept;
    if constexpr (size == 0) {
      at = read(at, value.*D::pointer);
      return at == nullptr ? nullptr : read_members<0, kept - 1>(at, Types<More...>{}, value);
    } else if constexpr (Checked == 0) {
      constexpr std::size_t run = run_size<T, kept, D, More...>();
      if (left(at) < run) return find_end_of_run<T, D, More...>(at);
      return read_members<run, kept>(at, Types<D, More...>{}, value);
    } else {
      read_plain(at, value.*D::pointer);
      return read_members<Checked - size, kept - 1>(at + size, Types<More...>{}, value);
    }
  }
  const std::uint8_t* begin_;
  const std::uint8_t* end_;
  Arena& arena_;
  std::size_t keys_left_;
  Form form_;
  DecodeError error_{};
};

}  // namespace timectl::wire
