// A list inside a block or a transaction. A decoder checks such a list completely but does not
// build it: most blocks are only hashed, stored and sent on. The elements are built, one at a time,
// by whoever iterates. Everything that can be wrong with the bytes was found before: iterating
// cannot fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

#include "daemon/wire/bytes.h"

namespace timectl::wire {

// Builds the element that starts at `at`, inside bytes that were checked and end at `end`; returns
// the place behind it. Defined by codec.cc for the element types of the wire structs.
template <class T>
const std::uint8_t* build_item(const std::uint8_t* at, const std::uint8_t* end, T& item);

// Borrows like List does: either objects (of an encoder, of the JSON form) or encoded elements.
// Equality compares the elements.
template <class T>
class LazyList {
 public:
  using value_type = T;

  // Goes over the elements once. A reference it gives is good until it moves on.
  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(const LazyList& list)
        : object_(list.objects_),
          next_(list.encoded_.begin()),
          end_(list.encoded_.end()),
          left_(list.size_) {
      build();
    }
    const T& operator*() const { return object_ != nullptr ? *object_ : built_; }
    Iterator& operator++() {
      --left_;
      if (object_ != nullptr) ++object_;
      build();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return left_ == 0; }

   private:
    void build() {
      if (object_ == nullptr && left_ > 0) next_ = build_item(next_, end_, built_);
    }

    const T* object_;
    const std::uint8_t* next_;
    const std::uint8_t* end_;
    std::size_t left_;
    T built_{};
  };

  LazyList() = default;
  LazyList(const T* objects, std::size_t size) : objects_(objects), size_(size) {}
  LazyList(const std::vector<T>& objects) : objects_(objects.data()), size_(objects.size()) {}

  // `size` elements whose encoded form, checked by the caller, is `encoded`.
  LazyList(std::size_t size, Bytes encoded) : size_(size), encoded_(encoded) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] Iterator begin() const { return Iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  // The elements as they are on the wire, without their count; empty if they are objects.
  [[nodiscard]] Bytes encoded() const { return encoded_; }

  friend bool operator==(const LazyList& a, const LazyList& b) {
    if (a.size_ != b.size_) return false;
    auto other = b.begin();
    for (const T& item : a) {
      if (!(item == *other)) return false;
      ++other;
    }
    return true;
  }

 private:
  const T* objects_ = nullptr;
  std::size_t size_ = 0;
  Bytes encoded_;
};

}  // namespace timectl::wire
