#pragma once
// MmdbFile: makes a MaxMind DB file in memory, for the tests of what reads one: networks with their
// records, in each of the sizes that the format has, and every part replaceable by a damaged one.

#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/core/ip_address.h"

namespace timectl::mmdb {

// Values of the format, encoded; sizes up to 284.
inline std::string header(unsigned type, std::size_t size) {
  const auto low = static_cast<unsigned>(size < 29 ? size : 29);
  std::string out(1, static_cast<char>(type > 7 ? low : type << 5U | low));
  if (type > 7) out += static_cast<char>(type - 7);
  if (low == 29) out += static_cast<char>(size - 29);
  return out;
}
inline std::string big_endian(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = bytes; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}
inline std::string text(const std::string& value) {
  return header(2, value.size()) + value;
}
inline std::string uint16(std::uint16_t value) {
  return header(5, 2) + big_endian(value, 2);
}
inline std::string uint32(std::uint32_t value) {
  return header(6, 4) + big_endian(value, 4);
}
inline std::string uint64(std::uint64_t value) {
  return header(9, 8) + big_endian(value, 8);
}
inline std::string pointer(std::uint32_t target) {  // in its longest form
  return std::string(1, '\x38') + big_endian(target, 4);
}
inline std::string list(const std::vector<std::string>& values) {
  std::string out = header(11, values.size());
  for (const auto& value : values) out += value;
  return out;
}
inline std::string map(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out = header(7, members.size());
  for (const auto& [key, value] : members) out += text(key) + value;
  return out;
}
inline std::string as_record(std::uint32_t number) {
  return map({{"autonomous_system_number", uint32(number)},
              {"autonomous_system_organization", text("Example")}});
}

inline constexpr const char* kMarker = "\xab\xcd\xefMaxMind.com";

struct MmdbFile {
  unsigned record_size = 24;
  unsigned ip_version = 6;
  std::string type = "GeoLite2-ASN";
  std::uint64_t built = 1'795'219'200;                                  // 2026-11-21
  std::vector<std::pair<std::string, std::string>> more_metadata = {};  // before the rest

  // `bits` of the address as it is written: /16 of v4, /32 of v6.
  void add(const IpAddress& ip, unsigned bits, const std::string& record) {
    const auto& bytes = ip.bytes();
    std::vector<bool> path;
    const std::size_t first = ip.is_v4() ? 96 : 0;
    if (ip.is_v4() && ip_version == 6) path.assign(96, false);  // ::a.b.c.d, not the mapped form
    for (std::size_t i = first; i < first + bits; ++i) {
      path.push_back((bytes[i / 8] >> (7 - i % 8) & 1) != 0);
    }
    std::size_t node = 0;
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
      if (!nodes_[node][path[i]]) {
        nodes_[node][path[i]] = Record{nodes_.size(), false};
        nodes_.emplace_back();
      }
      node = nodes_[node][path[i]]->value;
    }
    nodes_[node][path.back()] = Record{data_.size(), true};
    data_ += record;
  }

  [[nodiscard]] std::string tree() const {
    std::string out;
    for (const auto& node : nodes_) {
      const std::uint64_t left = number(node[0]);
      const std::uint64_t right = number(node[1]);
      if (record_size == 28) {  // the fourth byte has the upper four bits of both
        out += big_endian(left & 0xffffffU, 3);
        out += static_cast<char>((left >> 24U) << 4U | right >> 24U);
        out += big_endian(right & 0xffffffU, 3);
      } else {
        out += big_endian(left, record_size / 8) + big_endian(right, record_size / 8);
      }
    }
    return out;
  }
  [[nodiscard]] const std::string& data() const { return data_; }
  [[nodiscard]] std::string metadata() const {
    auto members = more_metadata;
    const std::vector<std::pair<std::string, std::string>> own{
        {"node_count", uint32(static_cast<std::uint32_t>(nodes_.size()))},
        {"record_size", uint16(static_cast<std::uint16_t>(record_size))},
        {"ip_version", uint16(static_cast<std::uint16_t>(ip_version))},
        {"database_type", text(type)},
        {"languages", list({text("en")})},
        {"binary_format_major_version", uint16(2)},
        {"binary_format_minor_version", uint16(0)},
        {"build_epoch", uint64(built)},
        {"description", map({{"en", text("for a test")}})}};
    members.insert(members.end(), own.begin(), own.end());
    return map(members);
  }
  // With unused bytes at the end of the data, so that the file has `bytes` in all: the library maps
  // the file, and a read beyond a whole page is a crash that nobody overlooks.
  [[nodiscard]] std::string bytes(std::size_t bytes = 0) const {
    const std::string front = tree() + std::string(16, '\0') + data_;
    const std::string back = kMarker + metadata();
    const std::size_t have = front.size() + back.size();
    return front + std::string(bytes > have ? bytes - have : 0, '\0') + back;
  }

 private:
  struct Record {
    std::size_t value = 0;
    bool is_data = false;
  };
  using Node = std::array<std::optional<Record>, 2>;
  [[nodiscard]] std::uint64_t number(const std::optional<Record>& record) const {
    if (!record) return nodes_.size();
    return record->is_data ? nodes_.size() + 16 + record->value : record->value;
  }

  std::vector<Node> nodes_{1};
  std::string data_;
};

// 80.1/16 and 80.2/16 are of AS 64500, 2001:678::/32 of AS 4200000000; a v4 file has no v6.
inline MmdbFile three_networks(unsigned record_size = 24, unsigned ip_version = 6) {
  MmdbFile file;
  file.record_size = record_size;
  file.ip_version = ip_version;
  file.add(IpAddress::v4(80, 1, 0, 0), 16, as_record(64'500));
  file.add(IpAddress::v4(80, 2, 0, 0), 16, as_record(64'500));
  if (ip_version == 6) {
    file.add(IpAddress({0x20, 0x01, 0x06, 0x78}), 32, as_record(4'200'000'000));
  }
  return file;
}

inline void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace timectl::mmdb
