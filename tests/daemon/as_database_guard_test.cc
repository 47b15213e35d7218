#include "daemon/as_database_guard.h"

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "tests/support/mmdb_file.h"

namespace timectl::mmdb {
namespace {

std::span<const std::uint8_t> span_of(const std::string& bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}
std::string refusal(const std::string& bytes) {
  return unsafe_to_open(span_of(bytes));
}
bool safe(const std::string& data, std::size_t offset = 0) {
  return safe_record(span_of(data), offset);
}
std::string nested_lists(std::size_t depth) {
  std::string out;
  for (std::size_t i = 0; i < depth; ++i) out += header(11, 1);
  return out + text("x");
}

TEST(AsDatabaseGuard, LetsWholeFilesOfEachSizePass) {
  for (const unsigned record_size : {24U, 28U, 32U}) {
    for (const unsigned version : {4U, 6U}) {
      EXPECT_EQ(refusal(three_networks(record_size, version).bytes()), "");
    }
  }
}

TEST(AsDatabaseGuard, LetsPointersToTextsPassAsSomeWritersMakeThem) {
  MmdbFile file = three_networks();
  file.more_metadata = {{"a", text("en")}, {"b", pointer(3)}};  // behind the map's and "a"'s header
  EXPECT_EQ(refusal(file.bytes()), "");
  EXPECT_TRUE(safe(map({{"k", text("v")}, {"l", pointer(1)}})));
}

TEST(AsDatabaseGuard, RefusesFilesThatEndTooEarly) {
  const std::string whole = three_networks().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
  }
  EXPECT_NE(refusal(kMarker), "");  // 1.7.1 reads beyond the end of such metadata
  EXPECT_NE(refusal(std::string(kMarker) + "\xe0"), "");
}

TEST(AsDatabaseGuard, RefusesATreeThatIsLargerThanTheFile) {
  MmdbFile file = three_networks();
  for (const std::uint32_t nodes : {10'000U, 0x2aaaaaaaU, 0xffffffffU}) {  // the second: wraps
    file.more_metadata = {{"node_count", uint32(nodes)}};
    EXPECT_NE(refusal(file.bytes()).find("larger than the file"), std::string::npos) << nodes;
  }
  file.more_metadata = {{"node_count", uint32(1)}};
  EXPECT_EQ(refusal(file.bytes()), "");
}

TEST(AsDatabaseGuard, RefusesMetadataThatTheLibraryWouldFollowWithoutEnd) {
  MmdbFile deep = three_networks();
  deep.more_metadata = {{"x", nested_lists(60'000)}};
  EXPECT_EQ(refusal(deep.bytes()), "its metadata is damaged");
  MmdbFile fan = three_networks();
  fan.more_metadata = {{"x", list({text("a")})}, {"description", map({{"en", pointer(3)}})}};
  EXPECT_EQ(refusal(fan.bytes()), "its metadata is damaged");
  MmdbFile odd = three_networks();
  odd.more_metadata = {{"languages", list({uint16(1)})}};  // it would leak
  EXPECT_EQ(refusal(odd.bytes()), "its metadata is damaged");
  MmdbFile many = three_networks();
  many.more_metadata = {{"x", "\x1f\x04\xff\xff\xff" + std::string(2000, '\x40')}};
  EXPECT_EQ(refusal(many.bytes()), "its metadata is damaged");
}

TEST(AsDatabaseGuard, RefusesRecordSizesThatTheFormatHasNot) {
  MmdbFile file = three_networks();
  for (const unsigned bits : {0U, 1U, 26U, 64U, 65'535U}) {
    file.more_metadata = {{"record_size", uint16(static_cast<std::uint16_t>(bits))}};
    EXPECT_NE(refusal(file.bytes()), "") << bits;
  }
}

TEST(AsDatabaseGuard, ARecordIsAMapThatIsNeitherDeepNorLargeNorCutOff) {
  const std::string record = as_record(64'500);
  EXPECT_TRUE(safe(record));
  for (std::size_t size = 0; size < record.size(); ++size) {
    EXPECT_FALSE(safe(record.substr(0, size))) << size;
  }
  EXPECT_FALSE(safe(record, record.size()));
  EXPECT_FALSE(safe(record, ~std::size_t{0}));
  EXPECT_FALSE(safe(text("no map")));
  EXPECT_FALSE(safe(pointer(5) + record));
  EXPECT_TRUE(safe(map({{"k", nested_lists(kMostMmdbDepth - 1)}})));
  EXPECT_FALSE(safe(map({{"k", nested_lists(kMostMmdbDepth + 1)}})));
  EXPECT_FALSE(safe(map({{"k", nested_lists(1'000'000)}})));  // 1.7.1: the stack overflows
  const std::string many = "\x1f\x04\xff\xff\xff" + std::string(100'000, '\x40');
  EXPECT_FALSE(safe(map({{"k", many}})));
}

}  // namespace
}  // namespace timectl::mmdb
