#pragma once
// AsDatabase: which AS announces an address, from a MaxMind DB file that the operator gave
// (network.as_database; GeoLite2-ASN, DB-IP ASN Lite and the like). The daemon opens it at start
// and at each reload and gives lookup() to the core, which only spreads its dials by it.
//
// The file is copied into memory and never read again: replacing, cutting or damaging it cannot
// harm a running node. It is an outside input; a hostile one is an Error or finds nothing.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/core/ip_address.h"
#include "daemon/core/result.h"

namespace timectl {

inline constexpr std::size_t kMostAsDatabaseBytes = 67'108'864;  // GeoLite2-ASN has 10 MB

class AsDatabase {
 public:
  [[nodiscard]] static Result<AsDatabase> open(const std::string& path);

  // None: the address is in no AS, or its record is damaged.
  [[nodiscard]] std::optional<std::uint32_t> lookup(const IpAddress& ip) const;
  // "GeoLite2-ASN of 2026-11-21": its own words, printable.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Library;
  struct Close {
    void operator()(Library* library) const;
  };
  AsDatabase(std::unique_ptr<Library, Close> library, std::string name)
      : library_(std::move(library)), name_(std::move(name)) {}

  std::unique_ptr<Library, Close> library_;
  std::string name_;
};

}  // namespace timectl
