// The encoding of the network: bincode 1.3 with its default functions, bounded. codec.cc uses it to
// read and write whole messages; nothing else instantiates it (it is costly to compile).
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
// not copied.
#pragma once

#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <vector>

#include "daemon/wire/arena.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/ed25519.h"
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
    } else if constexpr (std::is_integral_v<T> || ByteArray<T>) {
      if (left(at) < sizeof(T)) return fail(DecodeErrorKind::unexpected_end, at);
      std::memcpy(&value, at, sizeof(T));
      return at + sizeof(T);
    } else if constexpr (std::is_same_v<T, Uint128>) {
      if (left(at) < 16) return fail(DecodeErrorKind::unexpected_end, at);
      std::memcpy(&value.low, at, 8);
      std::memcpy(&value.high, at + 8, 8);
      return at + 16;
    } else if constexpr (std::is_same_v<T, Text>) {
      return read_text(at, value);
    } else if constexpr (std::is_same_v<T, Bytes>) {
      return read_bytes(at, value);
    } else if constexpr (std::is_same_v<T, PublicKey>) {
      return read_public_key(at, value);
    } else if constexpr (Optional<T>) {
      return read_optional(at, value);
    } else if constexpr (ListOfItems<T>) {
      return read_list(at, value);
    } else if constexpr (Choice<T>) {
      return read_choice(at, value);
    } else {
      return read_struct(at, value);
    }
  }

  [[nodiscard]] const DecodeError& error() const { return error_; }

 private:
  [[nodiscard]] std::size_t left(const std::uint8_t* at) const {
    return static_cast<std::size_t>(end_ - at);
  }

  [[gnu::cold, gnu::noinline]] const std::uint8_t* fail(DecodeErrorKind kind,
                                                        const std::uint8_t* at) {
    error_ = {kind, static_cast<std::size_t>(at - begin_)};
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
    if (!present) {
      value.reset();
      return at;
    }
    return read(at, value.emplace());
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
    T* items = arena_.room_for<T>(count);
    if (items == nullptr) return fail(DecodeErrorKind::over_budget, at);
    for (std::size_t i = 0; i < count; ++i) {
      item = read(item, *std::construct_at(items + i));
      if (item == nullptr) return nullptr;
    }
    value = List<T>(items, count);
    return item;
  }

  template <class... A>
  const std::uint8_t* read_choice(const std::uint8_t* at, std::variant<A...>& value) {
    using V = std::variant<A...>;
    using Read = const std::uint8_t* (*)(Reader&, const std::uint8_t*, V&);
    static constexpr std::array<Read, sizeof...(A)> readers{
        [](Reader& reader, const std::uint8_t* from, V& into) {
          return reader.read(from, into.template emplace<A>());
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
    constexpr std::size_t kept = count - newer_members_of<T>();
    [[maybe_unused]] const std::uint8_t* const start = at;
    [&]<class... D, std::size_t... I>(boost::mp11::mp_list<D...>, std::index_sequence<I...>) {
      [[maybe_unused]] const auto member =
          [&]<std::size_t Index>(std::integral_constant<std::size_t, Index>, auto& field) {
            if (Index < kept || form_ == Form::current) at = read(at, field);
            return at != nullptr;
          };
      static_cast<void>(
          (member(std::integral_constant<std::size_t, I>{}, value.*D::pointer) && ...));
    }(boost::mp11::mp_rename<Members<T>, boost::mp11::mp_list>{},
      std::make_index_sequence<count>{});
    if constexpr (requires { value.raw; }) {
      if (at != nullptr && form_ == Form::current) {
        value.raw = Bytes(start, static_cast<std::size_t>(at - start));
      }
    }
    return at;
  }

  const std::uint8_t* begin_;
  const std::uint8_t* end_;
  Arena& arena_;
  std::size_t keys_left_;
  Form form_;
  DecodeError error_{};
};

class Writer {
 public:
  explicit Writer(std::vector<std::uint8_t>& out, Reader::Form form = Reader::Form::current)
      : out_(out), form_(form) {}

  template <class T>
  void write(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      out_.push_back(value ? 1 : 0);
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T> || ByteArray<T>) {
      append(&value, sizeof(T));
    } else if constexpr (std::is_same_v<T, Uint128>) {
      write(value.low);
      write(value.high);
    } else if constexpr (std::is_same_v<T, Text> || std::is_same_v<T, Bytes>) {
      write(std::uint64_t{value.size()});
      append(value.data(), value.size());
    } else if constexpr (std::is_same_v<T, PublicKey>) {
      write(Bytes(value.bytes));
    } else if constexpr (Optional<T>) {
      write(value.has_value());
      if (value) write(*value);
    } else if constexpr (ListOfItems<T>) {
      write(std::uint64_t{value.size()});
      for (const auto& item : value) write(item);
    } else if constexpr (Choice<T>) {
      write(static_cast<std::uint32_t>(value.index()));
      std::visit([&](const auto& alternative) { write(alternative); }, value);
    } else {
      constexpr std::size_t count = boost::mp11::mp_size<Members<T>>::value;
      constexpr std::size_t kept = count - newer_members_of<T>();
      std::size_t index = 0;
      for_each_member<T>([&](auto member) {
        if (index++ < kept || form_ == Reader::Form::current)
          write(value.*decltype(member)::pointer);
      });
    }
  }

  // Bytes that are encoded already.
  void write_raw(Bytes encoded) { append(encoded.data(), encoded.size()); }

 private:
  // Not inlined: g++ 12 then reports overflows of small buffers that cannot happen.
  [[gnu::noinline]] void append(const void* data, std::size_t size) {
    if (size == 0) return;  // an empty list has no address to copy from
    const std::size_t at = out_.size();
    out_.resize(at + size);
    std::memcpy(out_.data() + at, data, size);
  }

  std::vector<std::uint8_t>& out_;
  Reader::Form form_;
};

}  // namespace timectl::wire
