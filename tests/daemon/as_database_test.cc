#include "daemon/as_database.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "tests/support/mmdb_file.h"

namespace timectl::mmdb {
namespace {

const IpAddress kFirst = IpAddress::v4(80, 1, 200, 3);
const IpAddress kSecond = IpAddress::v4(80, 2, 0, 1);
const IpAddress kElsewhere = IpAddress::v4(80, 3, 0, 1);
const IpAddress kSixth({0x20, 0x01, 0x06, 0x78, 0, 1});
const IpAddress kSixthElsewhere({0x20, 0x02});
constexpr std::size_t kPage = 4096;

class AsDatabaseTest : public testing::Test {
 protected:
  AsDatabaseTest() {
    // In memory where there is such a file system: tens of thousands of files are made.
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    const auto parent = memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "timectl-as-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = (directory_ / "as.mmdb").string();
  }
  ~AsDatabaseTest() override { std::filesystem::remove_all(directory_); }

  Result<AsDatabase> open(const std::string& bytes) const {
    write(path_, bytes);
    return AsDatabase::open(path_);
  }
  // What may be wrong with them is not the point: that the process lives is.
  static void look_up_all(const Result<AsDatabase>& database) {
    if (!database) return;
    for (const auto& ip : {kFirst, kSecond, kElsewhere, kSixth, kSixthElsewhere, IpAddress{}}) {
      (void)database->lookup(ip);
    }
  }

  std::filesystem::path directory_;
  std::string path_;
};

TEST_F(AsDatabaseTest, FindsTheAsOfAddressesInEachFormOfTheFile) {
  for (const unsigned record_size : {24U, 28U, 32U}) {
    for (const unsigned version : {4U, 6U}) {
      const auto database = open(three_networks(record_size, version).bytes());
      ASSERT_TRUE(database) << database.error().because;
      EXPECT_EQ(database->lookup(kFirst), 64'500U);
      EXPECT_EQ(database->lookup(kSecond), 64'500U);
      EXPECT_EQ(database->lookup(kElsewhere), std::nullopt);
      const auto v6 = version == 6 ? std::optional(4'200'000'000U) : std::nullopt;
      EXPECT_EQ(database->lookup(kSixth), v6);
      EXPECT_EQ(database->lookup(kSixthElsewhere), std::nullopt);
      EXPECT_EQ(database->name(), "GeoLite2-ASN of 2026-11-21");
    }
  }
}

TEST_F(AsDatabaseTest, ADatabaseOfCountriesIsRefusedByName) {
  MmdbFile file;
  file.type = "GeoLite2-\x1b[0mCountry";
  file.add(IpAddress::v4(80, 1, 0, 0), 16, map({{"country", map({{"iso_code", text("DE")}})}}));
  const auto database = open(file.bytes());
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, Code::bad_data);
  EXPECT_EQ(database.error().because,
            "it is a database of the type GeoLite2-\\x1B[0mCountry without "
            "autonomous_system_number");
}

TEST_F(AsDatabaseTest, AnAsOfAnotherTypeOrZeroIsNone) {
  MmdbFile file = three_networks();
  const std::string key = "autonomous_system_number";
  file.add(IpAddress::v4(81, 1, 0, 0), 16, map({{key, text("AS64500")}}));
  file.add(IpAddress::v4(81, 2, 0, 0), 16, map({{key, uint32(0)}}));
  file.add(IpAddress::v4(81, 3, 0, 0), 16, map({{key, uint16(701)}}));  // as some writers do
  file.add(IpAddress::v4(81, 4, 0, 0), 16, text(key));
  const auto database = open(file.bytes());
  ASSERT_TRUE(database);
  EXPECT_EQ(database->lookup(IpAddress::v4(81, 1, 0, 1)), std::nullopt);
  EXPECT_EQ(database->lookup(IpAddress::v4(81, 2, 0, 1)), std::nullopt);
  EXPECT_EQ(database->lookup(IpAddress::v4(81, 3, 0, 1)), 701U);
  EXPECT_EQ(database->lookup(IpAddress::v4(81, 4, 0, 1)), std::nullopt);
}

TEST_F(AsDatabaseTest, WhatIsNoFileOrTooLargeIsRefusedWithItsReason) {
  EXPECT_EQ(AsDatabase::open(path_).error().code, Code::not_found);
  EXPECT_EQ(AsDatabase::open(directory_.string()).error().because, "it is no regular file");
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);  // and does not hang
  EXPECT_EQ(AsDatabase::open(path_).error().because, "it is no regular file");
  std::filesystem::remove(path_);
  write(path_, "");
  EXPECT_EQ(AsDatabase::open(path_).error().code, Code::bad_data);
  std::filesystem::resize_file(path_, kMostAsDatabaseBytes + 1);  // sparse
  EXPECT_EQ(AsDatabase::open(path_).error().code, Code::too_large);
}

TEST_F(AsDatabaseTest, CuttingOrRemovingTheFileDoesNotTouchAnOpenDatabase) {
  const auto database = open(three_networks().bytes(8 * kPage));
  ASSERT_TRUE(database);
  std::filesystem::resize_file(path_, 0);  // a mapping of it would be a SIGBUS now
  EXPECT_EQ(database->lookup(kFirst), 64'500U);
  std::filesystem::remove(path_);
  EXPECT_EQ(database->lookup(kSixth), 4'200'000'000U);
}

TEST_F(AsDatabaseTest, ACutFileIsAnErrorAtEachLength) {
  const std::string whole = three_networks().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(open(whole.substr(0, size))) << size;
  }
  EXPECT_TRUE(open(whole));
}

TEST_F(AsDatabaseTest, NoFlippedByteAnywhereEndsTheProcess) {
  const std::string whole = three_networks().bytes(kPage);
  std::size_t refused = 0;
  std::size_t opened = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x08U, 0x20U, 0x80U, 0xffU}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flip);
      const auto database = open(bytes);
      look_up_all(database);
      ++(database ? opened : refused);
    }
  }
  EXPECT_GT(refused, 500U);  // the flips reach what matters,
  EXPECT_GT(opened, 500U);   // and what is behind it
}

TEST_F(AsDatabaseTest, NeitherDoFilesThatAreDamagedInManyPlaces) {
  const std::string whole = three_networks(28).bytes(kPage);
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = whole;
    for (int i = 0; i < 1 + round % 16; ++i) bytes[random() % kPage] = static_cast<char>(random());
    look_up_all(open(bytes));
  }
}

TEST_F(AsDatabaseTest, RecordsThatWouldOverflowTheLibrarysStackFindNothing) {
  std::string deep;
  for (int i = 0; i < 2'000'000; ++i) deep += header(11, 1);
  MmdbFile file = three_networks();
  file.add(IpAddress::v4(81, 1, 0, 0), 16, map({{"a", deep + text("x")}}));
  const auto database = open(file.bytes());
  ASSERT_TRUE(database);
  EXPECT_EQ(database->lookup(IpAddress::v4(81, 1, 0, 1)), std::nullopt);
  EXPECT_EQ(database->lookup(kFirst), 64'500U);
}

}  // namespace
}  // namespace timectl::mmdb
