#include "daemon/web/token_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/control/lab.h"

namespace timectl::web {
namespace {

struct TokenFile : testing::Test {
  test::TempDir directory;
  std::string path = directory / "mainnet.token";
  void write(const std::string& text, mode_t mode) const {
    std::ofstream(path) << text;
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }
  [[nodiscard]] Result<std::string> open() const { return open_token(path, ::getegid()); }
};

TEST_F(TokenFile, IsMadeForTheGroupAndKept) {
  const auto token = open();
  ASSERT_TRUE(token);
  EXPECT_EQ(token->size(), 64U);
  EXPECT_EQ(token->find_first_not_of("0123456789abcdef"), std::string::npos);
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0640U);
  EXPECT_EQ(found.st_gid, ::getegid());
  const auto again = open();
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *token);
  ASSERT_EQ(::unlink(path.c_str()), 0);
  EXPECT_NE(*open(), *token);
}

TEST_F(TokenFile, WhatACrashLeftIsNoHindrance) {
  std::ofstream(path + ".part") << "half";
  EXPECT_EQ(open()->size(), 64U);
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
}

TEST_F(TokenFile, GetsTheGroupThatIsAskedFor) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files to any group";
  ASSERT_TRUE(open_token(path, 12'345));
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_gid, 12'345U);
  EXPECT_EQ(found.st_mode & 07777, 0640U);
}

TEST_F(TokenFile, AnOperatorMayWriteAnOwnOne) {
  const std::string own = "My-own_token-of-thirty-two-bytes";
  write(own + "\n", 0600);
  EXPECT_EQ(*open(), own);
  write(own, 0640);
  EXPECT_EQ(*open(), own);
}

TEST_F(TokenFile, WhatOthersCouldReadOrWriteIsRefused) {
  const std::string good(64, 'a');
  for (const mode_t mode : {0644U, 0646U, 0660U, 0602U}) {
    write(good, mode);
    const auto token = open();
    ASSERT_FALSE(token) << mode;
    EXPECT_EQ(token.error().code, Code::bad_data);
    EXPECT_FALSE(token.error().remedy.empty());
  }
  write(good, 0640);
  EXPECT_TRUE(open());
}

TEST_F(TokenFile, WhatIsNoTokenIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("short"), std::string(31, 'a'), std::string(129, 'a'),
        std::string(1'000'000, 'a'), std::string(64, 'a') + "\nb", std::string(40, 'a') + ";",
        std::string(40, 'a') + " x", std::string(40, '\0')}) {
    write(text, 0600);
    EXPECT_FALSE(open()) << text.size();
  }
}

TEST_F(TokenFile, LinksPipesAndFoldersAreRefused) {
  std::ofstream(directory / "real") << std::string(64, 'a');
  ASSERT_EQ(::chmod((directory / "real").c_str(), 0600), 0);
  ASSERT_EQ(::symlink((directory / "real").c_str(), path.c_str()), 0);
  EXPECT_FALSE(open());
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::symlink((directory / "missing").c_str(), path.c_str()), 0);
  EXPECT_FALSE(open()) << "a link to nothing is not followed either";
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(open());
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  EXPECT_FALSE(open());
}

TEST_F(TokenFile, AFolderThatIsNotThereIsAnError) {
  const auto token = open_token(directory / "no/such/file", ::getegid());
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, Code::cannot_create);
}

TEST_F(TokenFile, AFileOfSomebodyElseIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  write(std::string(64, 'a'), 0600);
  ASSERT_EQ(::chown(path.c_str(), 12'345, 0), 0);
  EXPECT_FALSE(open());
}

}  // namespace
}  // namespace timectl::web
