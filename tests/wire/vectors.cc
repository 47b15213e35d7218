#include "tests/wire/vectors.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "tests/paths.h"

namespace timectl::wire::test {

namespace json = boost::json;

std::vector<std::filesystem::path> vector_folders() {
  std::vector<std::filesystem::path> folders{std::filesystem::path(TIMECTL_TEST_DATA) / "vectors"};
  const auto shared = std::filesystem::path(TIMECTL_SHARED_DIR) / "vectors";
  if (std::filesystem::is_directory(shared)) {
    folders.push_back(shared);
  } else {
    std::cout << "only the copied vectors: there is no " << shared << "\n";
  }
  return folders;
}

json::array load_vectors(const std::filesystem::path& folder, std::string_view file) {
  const auto path = folder / (std::string(file) + ".json");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  json::array entries = json::parse(text).as_array();
  if (entries.empty()) throw std::runtime_error("nothing in " + path.string());
  return entries;
}

const std::vector<std::string_view>& message_files() {
  static const std::vector<std::string_view> files{
      "handshake",  "chain_query", "peers",     "masternodes", "blocks",
      "chain_main", "chain_fork",  "consensus", "governance",  "transactions",
      "payments",   "messaging",   "notices"};
  return files;
}

json::array load_messages(const std::filesystem::path& folder) {
  json::array all;
  for (const std::string_view file : message_files()) {
    for (json::value& entry : load_vectors(folder, file)) all.push_back(std::move(entry));
  }
  return all;
}

std::string text_of(const json::object& entry, std::string_view key) {
  return std::string(entry.at(key).as_string());
}

std::vector<std::uint8_t> bytes_of(const json::object& entry, std::string_view key) {
  return from_hex(entry.at(key).as_string()).value();
}

Hash32 hash_of(std::string_view hex) {
  const auto bytes = from_hex(hex).value();
  Hash32 hash{};
  if (bytes.size() != hash.size()) throw std::runtime_error("not a hash");
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

}  // namespace timectl::wire::test
