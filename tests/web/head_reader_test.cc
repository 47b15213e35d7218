#include "daemon/web/head_reader.h"

#include <gtest/gtest.h>

namespace timectl::web {
namespace {

using State = HeadReader::State;

const std::string kRequest =
    "GET /app.js HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\r\nsec-fetch-site: none\r\n\r\n";

TEST(HeadReader, TakesAHeadByteByByte) {
  HeadReader reader(8192);
  for (std::size_t i = 0; i + 1 < kRequest.size(); ++i) {
    ASSERT_EQ(reader.take(kRequest.substr(i, 1)), State::more) << i;
  }
  ASSERT_EQ(reader.take("\n"), State::whole);
  const auto head = reader.head();
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/app.js");
  EXPECT_EQ(head.host, "localhost");
  EXPECT_EQ(head.hosts, 1U);
  EXPECT_EQ(head.cookie, "a=b");
  EXPECT_EQ(head.fetch_site, "none");
  EXPECT_EQ(head.origin, "");
  EXPECT_FALSE(head.body);
  EXPECT_TRUE(reader.keep_alive());
}

TEST(HeadReader, TheNextRequestStaysForLater) {
  HeadReader reader(8192);
  ASSERT_EQ(reader.take(kRequest + "GET /2 HTTP/1.0\r\n\r\nGET"), State::whole);
  EXPECT_EQ(reader.head().target, "/app.js");
  reader.next();
  ASSERT_EQ(reader.take({}), State::whole);
  EXPECT_EQ(reader.head().target, "/2");
  EXPECT_EQ(reader.head().hosts, 0U);
  EXPECT_FALSE(reader.keep_alive());
  reader.next();
  EXPECT_EQ(reader.take({}), State::more);
  EXPECT_TRUE(reader.begun());
}

TEST(HeadReader, ABodyIsToldNotRead) {
  for (const char* field : {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
    HeadReader reader(8192);
    ASSERT_EQ(reader.take("GET / HTTP/1.1\r\n" + std::string(field) + "\r\n"), State::whole);
    EXPECT_TRUE(reader.head().body) << field;
  }
  HeadReader reader(8192);
  ASSERT_EQ(reader.take("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), State::whole);
  EXPECT_FALSE(reader.head().body);
}

TEST(HeadReader, TwoHostsAreSeen) {
  HeadReader reader(8192);
  ASSERT_EQ(reader.take("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), State::whole);
  EXPECT_EQ(reader.head().hosts, 2U);
}

TEST(HeadReader, NoHttpIsBad) {
  const std::string tls("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  for (const std::string& text :
       {tls + std::string(500, '\0') + "\r\n\r\n", std::string("\r\n\r\n"),
        std::string("GET /\r\n\r\n"), std::string("GET / HTTP/2.0\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n")}) {
    HeadReader reader(8192);
    EXPECT_EQ(reader.take(text), State::bad) << text;
    EXPECT_EQ(reader.status(), 400U) << text;
  }
}

TEST(HeadReader, AHeadHasALimit) {
  for (const std::string& text :
       {"GET /" + std::string(9000, 'a'), "GET / HTTP/1.1\r\nA: " + std::string(9000, 'a'),
        "GET / HTTP/1.1\r\nA: " + std::string(9000, 'a') + "\r\n\r\n"}) {
    HeadReader reader(8192);
    EXPECT_EQ(reader.take(text), State::bad);
    EXPECT_EQ(reader.status(), 431U);
  }
  HeadReader reader(8192);
  EXPECT_EQ(reader.take("GET / HTTP/1.1\r\nA: " + std::string(8000, 'a') + "\r\n\r\n"),
            State::whole);
}

}  // namespace
}  // namespace timectl::web
