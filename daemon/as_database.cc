#include "daemon/as_database.h"

#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "daemon/as_database_guard.h"
#include "daemon/core/events.h"
#include "daemon/core/time.h"

namespace timectl {

struct AsDatabase::Library {
  MMDB_s db = {};
};

void AsDatabase::Close::operator()(Library* library) const {
  MMDB_close(&library->db);
  delete library;
}

namespace {

constexpr const char* kKey = "autonomous_system_number";
constexpr std::size_t kNodes = 65'536;  // of the tree, looked at for a record
constexpr std::size_t kSample = 1000;   // records looked at for one that names an AS

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

Error unusable(Code code, const std::string& path, std::string why) {
  return {code,
          "the AS database " + printable(path, 4000) + " cannot be used",
          std::move(why),
          {"set network.as_database to a MaxMind DB file with AS numbers, such as GeoLite2-ASN",
           "timectl node reload"}};
}

Error system_error(const std::string& path, int error) {
  const bool denied = error == EACCES || error == EPERM;
  const Code code = denied            ? Code::access_denied
                    : error == ENOENT ? Code::not_found
                                      : Code::input_output;
  return unusable(code, path, std::strerror(error));
}

Result<std::vector<std::uint8_t>> read_file(const std::string& path) {
  // O_NONBLOCK: a FIFO must not hang the start.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) return system_error(path, errno);
  if (!S_ISREG(facts.st_mode)) return unusable(Code::bad_data, path, "it is no regular file");
  if (facts.st_size > static_cast<off_t>(kMostAsDatabaseBytes)) {
    return unusable(Code::too_large, path,
                    "it has " + std::to_string(facts.st_size) + " bytes; the most is " +
                        std::to_string(kMostAsDatabaseBytes));
  }
  // What grows or shrinks meanwhile is being written: it is judged as far as it was there.
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(facts.st_size));
  std::size_t have = 0;
  while (have < bytes.size()) {
    const auto n = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(path, errno);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

// The library opens by path only and maps what it opens: it gets an unlinked copy in memory, so
// that nobody can cut it under the mapping (SIGBUS).
Result<int> copy_in_memory(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  const int fd = ::memfd_create("timectl-as-database", MFD_CLOEXEC);
  if (fd < 0) return system_error(path, errno);
  for (std::size_t done = 0; done < bytes.size();) {
    const auto n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int error = errno;
      ::close(fd);
      return system_error(path, error);
    }
    done += static_cast<std::size_t>(n);
  }
  return fd;
}

std::optional<std::uint32_t> as_number_of(MMDB_entry_s entry) {
  const MMDB_s& db = *entry.mmdb;
  if (!safe_record({db.data_section, db.data_section_size}, entry.offset)) return std::nullopt;
  MMDB_entry_data_s value;
  const char* const path[] = {kKey, nullptr};
  if (MMDB_aget_value(&entry, &value, path) != MMDB_SUCCESS || !value.has_data) return std::nullopt;
  std::uint32_t number = 0;  // which no network has (RFC 7607)
  if (value.type == MMDB_DATA_TYPE_UINT32) number = value.uint32;
  if (value.type == MMDB_DATA_TYPE_UINT16) number = value.uint16;
  return number == 0 ? std::nullopt : std::optional(number);
}

// Whether one of the first records names an AS; the tree may be a hostile one, with loops.
bool names_an_as(const MMDB_s& db) {
  std::vector<std::uint32_t> open{0};
  std::size_t records = 0;
  for (std::size_t nodes = 0; nodes < kNodes && !open.empty(); ++nodes) {
    MMDB_search_node_s node;
    const auto number = open.back();
    open.pop_back();
    if (MMDB_read_node(&db, number, &node) != MMDB_SUCCESS) continue;
    const std::pair<unsigned, MMDB_entry_s> sides[] = {
        {node.right_record_type, node.right_record_entry},
        {node.left_record_type, node.left_record_entry}};
    for (const auto& [type, entry] : sides) {
      if (type != MMDB_RECORD_TYPE_DATA) continue;
      if (as_number_of(entry)) return true;
      if (++records >= kSample) return false;
    }
    if (node.right_record_type == MMDB_RECORD_TYPE_SEARCH_NODE) {
      open.push_back(static_cast<std::uint32_t>(node.right_record));
    }
    if (node.left_record_type == MMDB_RECORD_TYPE_SEARCH_NODE) {
      open.push_back(static_cast<std::uint32_t>(node.left_record));
    }
  }
  return false;
}

std::string name_of_file(const MMDB_metadata_s& metadata) {
  std::string type = printable(metadata.database_type, 64);
  constexpr std::uint64_t kEnd = 253'402'300'800;  // of the year 9999
  if (metadata.build_epoch >= kEnd) return type;
  const WallTime built{std::chrono::seconds(metadata.build_epoch)};
  return type + " of " + rfc3339(built).substr(0, 10);
}

}  // namespace

Result<AsDatabase> AsDatabase::open(const std::string& path) {
  const auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  if (auto bad = unsafe_to_open(*bytes); !bad.empty()) {
    return unusable(Code::bad_data, path, std::move(bad));
  }
  const auto copied = copy_in_memory(path, *bytes);
  if (!copied) return copied.error();
  const Descriptor copy(*copied);
  const std::string link = "/proc/self/fd/" + std::to_string(copy.get());
  auto fresh = std::make_unique<Library>();
  const int failed = MMDB_open(link.c_str(), MMDB_MODE_MMAP, &fresh->db);
  // What could not be opened is closed already, and closing it twice would unmap another's memory.
  if (failed != MMDB_SUCCESS) return unusable(Code::bad_data, path, MMDB_strerror(failed));
  std::unique_ptr<Library, Close> library(fresh.release());
  if (!names_an_as(library->db)) {
    return unusable(Code::bad_data, path,
                    "it is a database of the type " +
                        printable(library->db.metadata.database_type, 64) + " without " + kKey);
  }
  auto name = name_of_file(library->db.metadata);
  return AsDatabase(std::move(library), std::move(name));
}

std::optional<std::uint32_t> AsDatabase::lookup(const IpAddress& ip) const {
  const auto& bytes = ip.bytes();
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  std::memcpy(&v4.sin_addr, bytes.data() + 12, 4);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
  const auto* address =
      ip.is_v4() ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  int failed = MMDB_SUCCESS;
  const auto found = MMDB_lookup_sockaddr(&library_->db, address, &failed);
  if (failed != MMDB_SUCCESS || !found.found_entry) return std::nullopt;
  return as_number_of(found.entry);
}

}  // namespace timectl
