#include "daemon/control/line.h"

#include <gtest/gtest.h>

#include "daemon/core/errors.h"

namespace timectl::control {
namespace {

TEST(LineBufferTest, LinesAreTheSameAtEveryChunkSize) {
  const std::string stream = "one\n\ntwo words\nthree\nrest";
  for (std::size_t chunk = 1; chunk <= stream.size(); ++chunk) {
    LineBuffer buffer(16);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < stream.size(); at += chunk) {
      buffer.append(std::string_view(stream).substr(at, chunk));
      while (auto line = buffer.next()) lines.push_back(*line);
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "", "two words", "three"})) << chunk;
    EXPECT_FALSE(buffer.overflowed());
  }
}

TEST(LineBufferTest, LimitIsExact) {
  for (const std::size_t length : {7U, 8U, 9U}) {
    LineBuffer buffer(8);
    buffer.append(std::string(length, 'x') + "\n");
    EXPECT_EQ(buffer.next().has_value(), length <= 8);
    EXPECT_EQ(buffer.overflowed(), length > 8);
  }
}

TEST(LineBufferTest, AnEndlessLineOverflowsWithoutItsNewline) {
  LineBuffer buffer(8);
  buffer.append("123456789");
  EXPECT_FALSE(buffer.next());
  EXPECT_TRUE(buffer.overflowed());
  buffer.append("\nok\n");
  EXPECT_FALSE(buffer.next());
}

TEST(Request, TravelsThere) {
  const auto line = request_line(7, "peer.show", json::object{{"peer", "10.0.0.1"}});
  ASSERT_TRUE(line.ends_with("\n"));
  const auto request = parse_request(line.substr(0, line.size() - 1));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->id, 7);
  EXPECT_EQ(request->method, "peer.show");
  EXPECT_EQ(request->params.as_object().at("peer"), "10.0.0.1");
}

TEST(Request, MalformedOnesAreRefusedWithTheirReason) {
  const std::string deep(17, '[');
  const std::string bad[] = {
      "",
      "null",
      "[]",
      "{",
      "{}",
      R"({"jsonrpc":"1.0","id":1,"method":"status"})",
      R"({"jsonrpc":"2.0","id":1})",
      R"({"jsonrpc":"2.0","method":"status"})",
      R"({"jsonrpc":"2.0","id":null,"method":"status"})",
      R"({"jsonrpc":"2.0","id":[1],"method":"status"})",
      R"({"jsonrpc":"2.0","id":1,"method":7})",
      R"({"jsonrpc":"2.0","id":1,"method":"status","params":[1]})",
      R"({"jsonrpc":"2.0","id":1,"method":"status","extra":1})",
      R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(65, 'm') + R"("})",
      R"({"jsonrpc":"2.0","id":")" + std::string(65, 'i') + R"(","method":"status"})",
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"st\xff\"}",
      R"({"jsonrpc":"2.0","id":1,"method":"status","params":{"a":)" + deep + "1" +
          std::string(17, ']') + "}}",
  };
  for (const auto& line : bad) {
    const auto request = parse_request(line);
    ASSERT_FALSE(request) << line;
    EXPECT_EQ(request.error().code, Code::bad_data) << line;
  }
}

TEST(Reply, ErrorArrivesWithCodeCauseAndRemedies) {
  for (const auto& row : error_table()) {
    const Error error{row.code, "what \"happened\"\n", "why", {"do this", "or that"}};
    const auto line = reply_line(3, error);
    const auto reply = parse_incoming(line);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->id, 3);
    ASSERT_FALSE(reply->result);
    EXPECT_EQ(reply->result.error().code, row.code);
    EXPECT_EQ(reply->result.error().message, error.message);
    EXPECT_EQ(reply->result.error().because, error.because);
    EXPECT_EQ(reply->result.error().remedy, error.remedy);
    EXPECT_EQ(line.find('\n'), line.size() - 1) << "a reply is one line";
  }
}

TEST(Reply, AnErrorOfANewerNodeKeepsItsText) {
  const auto reply = parse_incoming(
      R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"the moon is full","data":)"
      R"({"code":"TC-NEW-042","because":"tides"}}})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->result.error().code, Code::internal);
  EXPECT_EQ(reply->result.error().message, "the moon is full");
  EXPECT_EQ(reply->result.error().because, "tides");
}

TEST(Reply, NotificationHasItsMethod) {
  const auto incoming = parse_incoming(notification_line("event", json::object{{"kind", "x"}}));
  ASSERT_TRUE(incoming);
  EXPECT_EQ(incoming->method, "event");
  EXPECT_EQ(incoming->result->as_object().at("kind"), "x");
}

TEST(Reply, WhatIsNeitherIsBadData) {
  for (const auto* line : {"{}", "7", R"({"jsonrpc":"2.0","id":1})"}) {
    EXPECT_FALSE(parse_incoming(line)) << line;
  }
}

}  // namespace
}  // namespace timectl::control
