// The writing half of bincode.h: the same encoding, from the same descriptions. Used by codec.cc
// and outgoing.cc.
#pragma once

#include <cstring>
#include <vector>

#include "daemon/wire/bincode.h"

namespace timectl::wire {

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
      if constexpr (ListLeftEncoded<T>) {
        if (!value.encoded().empty()) return write_raw(value.encoded());
      }
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
