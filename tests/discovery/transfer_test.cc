// The limits of one transfer: what a server can make the client read, unpack or hold (FT-A5, T56).
#include "daemon/discovery/transfer.h"

#include "tests/discovery/fetch_lab.h"
#include "tests/support/peak_memory.h"

namespace timectl::discovery {
namespace {

using namespace std::string_literals;

using TransferTest = FetchTest;

constexpr std::size_t kMegabyte = 1'048'576;
// What the client has not read yet when it hangs up lies in the kernel's buffers.
constexpr std::size_t kMaxInFlight = 16 * kMegabyte;

// gzip of zeros without end: a header, a block's code lengths, then each byte of zero stands for
// four matches of 258 zeros. 1,032 to 1.
std::string gzip_bomb(std::size_t packed) {
  const std::string head(
      "\x1f\x8b\x08\0\0\0\0\0\x02\x03\xec\xc1\x01\x01\0\0\0\x80\x90\xfe\xaf\xee\x08\x0a", 24);
  return head + std::string(packed - head.size(), '\0');
}

// gzip in stored blocks.
std::string gzip_stored(const std::string& text) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  const auto little = [](std::uint32_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xffU);
    return out;
  };
  const auto size = static_cast<std::uint32_t>(text.size());
  return "\x1f\x8b\x08\0\0\0\0\0\0\x03\x01"s + little(size, 2) + little(~size, 2) + text +
         little(~crc, 4) + little(size, 4);
}

std::string packed_answer(const std::string& encoding, const std::string& body) {
  return answer("200 OK",
                "Content-Type: application/json\r\nContent-Encoding: " + encoding + "\r\n", body);
}

TEST_F(TransferTest, BodyOfJustTheLimitIsRead) {
  const std::string text(kMegabyte, ' ');
  HttpsServer server(good_server(), always(list_answer(text)));
  EXPECT_EQ(fetched(request(server.url())).body.size(), kMegabyte);
}

TEST_F(TransferTest, AnnouncedLengthOverTheLimitEndsItBeforeTheBody) {
  std::size_t sent = 0;
  {
    HttpsServer server(good_server(), [&](ServerConnection& connection) {
      (void)connection.read_request();
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n");
      connection.wait();
      sent = 1;
    });
    const auto failure = failed(request(server.url()));
    expect_failure(failure, FetchStep::size, "more than the 1048576 bytes");
    EXPECT_EQ(failure.address, server.endpoint());
  }
  EXPECT_EQ(sent, 1U) << "the client went";
}

TEST_F(TransferTest, EndlessBodyIsLeft) {
  // 1 GB and more, with and without chunks, and what unpacks to nothing for ever.
  const std::string block(1 << 16, 'x');
  const std::string empty_blocks = [] {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "\0\0\0\xff\xff"s;
    return text;
  }();
  struct Row {
    std::string head;
    std::string block;
  };
  const Row rows[] = {
      {"HTTP/1.1 200 OK\r\n\r\n", block},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "10000\r\n" + block + "\r\n"},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03"s,
       empty_blocks},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"s + gzip_bomb(64),
       std::string(4096, '\0')},
  };
  for (const auto& row : rows) {
    std::size_t sent = 0;
    const testing::PeakMemory memory;
    {
      HttpsServer server(good_server(), [&](ServerConnection& connection) {
        (void)connection.read_request();
        connection.send(row.head);
        sent = connection.send_endlessly(row.block);
      });
      expect_failure(failed(request(server.url())), FetchStep::size, "more than the 1048576 bytes");
    }
    EXPECT_GT(sent, 0U);
    EXPECT_LT(sent, kMaxInFlight);
    EXPECT_LT(memory.grown_kilobytes(), 16 * 1024);
  }
}

TEST_F(TransferTest, PackedBodyIsUnpackedToTheLimit) {
  const std::string list = R"(["9.9.9.9"])";
  HttpsServer good(good_server(), always(packed_answer("gzip", gzip_stored(list))));
  EXPECT_EQ(fetched(request(good.url())).body, list);
  // 8 MB in 8 kB.
  HttpsServer bomb(good_server(), always(packed_answer("gzip", gzip_bomb(8192))));
  expect_failure(failed(request(bomb.url())), FetchStep::size, "more than the 1048576 bytes");
}

TEST_F(TransferTest, PackingThatCanHideAnySizeIsNotRead) {
  // gzip in gzip unpacks a thousand times a thousand before a byte is counted.
  for (const std::string header :
       {"Content-Encoding: gzip, gzip\r\n", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n",
        "Content-Encoding: br\r\n", "Content-Encoding: deflate\r\n", "content-encoding:zstd\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: gzip\r\n"}) {
    HttpsServer server(good_server(),
                       once("HTTP/1.1 200 OK\r\n" + header + "\r\n" + gzip_bomb(1000)));
    expect_failure(failed(request(server.url())), FetchStep::size, "packed");
  }
}

TEST_F(TransferTest, HeadersAreBounded) {
  const std::string line = "X-Filler: " + std::string(1000, 'x') + "\r\n";
  struct Row {
    std::string block;
    const char* what;
  };
  const Row rows[] = {
      {line, "long"},
      {"a:b\r\n", "many"},
      {"HTTP/1.1 100 Continue\r\n\r\n", "answers before the answer"},
      {std::string(1000, 'x'), "one line"},
  };
  for (const auto& row : rows) {
    std::size_t sent = 0;
    {
      HttpsServer server(good_server(), [&](ServerConnection& connection) {
        (void)connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\n");
        sent = connection.send_endlessly(row.block);
      });
      const auto failure = failed(request(server.url()));
      EXPECT_TRUE(failure.step == FetchStep::size || failure.step == FetchStep::status)
          << row.what << ": " << name_of(failure.step) << " " << failure.message;
    }
    EXPECT_LT(sent, kMaxInFlight) << row.what;
  }
  std::string ordinary;
  for (int i = 0; i < 50; ++i) ordinary += "X-" + std::to_string(i) + ": y\r\n";
  HttpsServer server(good_server(), always(list_answer("[]", ordinary)));
  EXPECT_EQ(fetched(request(server.url())).body, "[]");
}

}  // namespace
}  // namespace timectl::discovery
