// Files, pipes, and T48: a log that is renamed away and cut in place while it is written.
#include "cmd/log_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace timectl::cmd {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class LogSourceFile : public ::testing::Test {
 protected:
  LogSourceFile() {
    std::string name = (fs::temp_directory_path() / "timectl-log-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    path_ = directory_ + "/debug.log";
  }
  ~LogSourceFile() override { fs::remove_all(directory_); }
  void append(const std::string& text, const std::string& name = "debug.log") const {
    std::ofstream(directory_ + "/" + name, std::ios::app | std::ios::binary) << text;
  }
  // Follows the file; each time there is nothing new, the next step of the script runs.
  void follow(const std::vector<std::function<void()>>& script) {
    auto source = LogSource::open(path_);
    ASSERT_TRUE(source) << source.error().message;
    std::size_t step = 0;
    bool stopped = false;
    LogSource::Handler handler;
    handler.on_bytes = [&](std::string_view bytes) { read_ += bytes; };
    handler.on_next_file = [&] { ++next_files_; };
    handler.on_truncated = [&] { ++truncations_; };
    handler.on_idle = [&] {
      if (step == script.size()) {
        stopped = true;
      } else {
        script[step++]();
      }
    };
    handler.stopped = [&] { return stopped; };
    const auto ended = source->read(handler, true, 1ms);
    EXPECT_TRUE(ended);
  }
  std::string directory_;
  std::string path_;
  std::string read_;
  int next_files_ = 0;
  int truncations_ = 0;
};

std::size_t open_files() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), {}));
}

TEST_F(LogSourceFile, FileIsReadToItsEndAndNoFurther) {
  append(std::string(1'000'000, 'x'));
  auto source = LogSource::open(path_);
  ASSERT_TRUE(source);
  std::size_t bytes = 0;
  LogSource::Handler handler;
  handler.on_bytes = [&](std::string_view chunk) { bytes += chunk.size(); };
  handler.stopped = [] { return false; };
  EXPECT_TRUE(source->read(handler, false, 1ms));
  EXPECT_EQ(bytes, 1'000'000U);
}

TEST_F(LogSourceFile, FollowedFileIsReadOnOverARename) {
  append("1\n");
  follow({[&] { append("2\n"); },
          [&] {
            append("3\n");
            fs::rename(path_, directory_ + "/debug.log.1");
          },
          [&] { append("4\n", "debug.log.1"); },  // whoever writes has not noticed yet
          [&] {
            append("5\n", "debug.log.1");
            append("6\n");
          }});
  EXPECT_EQ(read_, "1\n2\n3\n4\n5\n6\n");
  EXPECT_EQ(next_files_, 1);
  EXPECT_EQ(truncations_, 0);
}

TEST_F(LogSourceFile, FollowedFileIsReadOnOverATruncation) {
  append("first line\n");
  follow({[&] { fs::resize_file(path_, 0); }, [&] { append("2\n"); },
          [&] {  // cut and grown past where we were, between two looks
            fs::resize_file(path_, 0);
            append(std::string(100, 'y') + "\n");
          }});
  EXPECT_EQ(read_, "first line\n2\n" + std::string(100, 'y') + "\n");
  EXPECT_EQ(truncations_, 2);
  EXPECT_EQ(next_files_, 0);
}

TEST_F(LogSourceFile, HundredRotationsLoseNothingAndLeakNothing) {
  append("line 0\n");
  std::vector<std::function<void()>> script;
  std::string expected = "line 0\n";
  for (int i = 1; i <= 100; ++i) {
    const auto line = "line " + std::to_string(i) + "\n";
    expected += line;
    script.push_back([this, line, i] {
      if (i % 2 == 0) {
        fs::resize_file(path_, 0);
      } else {
        fs::rename(path_, directory_ + "/debug.log.1");
      }
      append(line);
    });
  }
  const auto before = open_files();
  follow(script);
  EXPECT_EQ(read_, expected);
  EXPECT_EQ(next_files_, 50);
  EXPECT_EQ(truncations_, 50);
  EXPECT_EQ(open_files(), before);
}

TEST_F(LogSourceFile, FileThatIsGoneForAWhileIsWaitedFor) {
  append("1\n");
  follow({[&] { fs::remove(path_); }, [] {}, [&] { append("2\n"); }});
  EXPECT_EQ(read_, "1\n2\n");
}

TEST_F(LogSourceFile, PipeIsReadUntilItsWriterGoes) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  auto source = LogSource::open(path_);  // nobody writes yet, and it does not hang
  ASSERT_TRUE(source);
  std::string read;
  int idle = 0;
  int writer = -1;
  LogSource::Handler handler;
  handler.on_bytes = [&](std::string_view bytes) { read += bytes; };
  handler.stopped = [] { return false; };
  handler.on_idle = [&] {
    if (idle++ == 0) {
      writer = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK);
      EXPECT_EQ(::write(writer, "piped\n", 6), 6);
    } else {
      ::close(writer);
    }
  };
  EXPECT_TRUE(source->read(handler, true, 1ms));
  EXPECT_EQ(read, "piped\n");
}

TEST_F(LogSourceFile, WhatIsNoLogIsRefusedWithItsReason) {
  const auto refused = [](const std::string& file) {
    const auto source = LogSource::open(file);
    EXPECT_FALSE(source) << file;
    return source ? Error{} : source.error();
  };
  EXPECT_EQ(refused(directory_ + "/none").code, Code::not_found);
  EXPECT_EQ(refused(directory_ + "/none/debug.log").code, Code::not_found);
  EXPECT_EQ(refused(directory_).because, "it is a directory");
  EXPECT_EQ(refused("/dev/zero").because, "it is neither a file nor a pipe");
  for (const char* head : {"\x1f\x8b\x08", "\x28\xb5\x2f\xfd",
                           "\xfd"
                           "7zXZ",
                           "BZh9"}) {
    std::ofstream(path_, std::ios::trunc) << head << "rest";
    const auto error = refused(path_);
    EXPECT_EQ(error.code, Code::bad_data);
    EXPECT_NE(error.message.find("compressed"), std::string::npos);
  }
  std::ofstream(path_, std::ios::trunc) << "2026";
  EXPECT_TRUE(LogSource::open(path_));
}

}  // namespace
}  // namespace timectl::cmd
