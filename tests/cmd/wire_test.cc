#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "tests/cmd/command.h"
#include "tests/paths.h"

namespace timectl::testing {
namespace {

namespace json = boost::json;

json::value vectors(const std::string& name) {
  std::ifstream in(std::string(TIMECTL_TEST_DATA) + "/vectors/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return json::parse(text.str());
}

std::string bytes_of(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

std::string hex_of_vectors(const std::string& name) {
  std::string hex;
  const auto all = vectors(name);
  for (const auto& vector : all.as_array()) {
    hex += std::string(vector.at("frame_hex").as_string()) + "\n";
  }
  return hex;
}

TEST(WireCommand, DecodesRawAndHexAlike) {
  const Sandbox sandbox;
  const auto hex = hex_of_vectors("handshake.json");
  const auto raw = sandbox.write("frames.bin", [&] {
    std::string plain;
    for (const char c : hex) {
      if (c != '\n') plain += c;
    }
    return bytes_of(plain);
  }());
  const auto from_hex = sandbox.run({"wire", "decode", "--hex"}, hex);
  const auto from_raw = sandbox.run({"wire", "decode", raw});
  EXPECT_EQ(from_hex.status, 0) << from_hex.err;
  EXPECT_EQ(from_raw.out, from_hex.out);
  const auto all = vectors("handshake.json");
  std::istringstream lines(from_hex.out);
  for (const auto& vector : all.as_array()) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    const auto value = json::parse(line);
    EXPECT_EQ(value.at("variant"), vector.at("variant"));
    EXPECT_EQ(value.at("fields"), vector.at("fields"));
  }
}

TEST(WireCommand, EncodeIsTheInverse) {
  const Sandbox sandbox;
  for (const char* name : {"handshake.json", "blocks.json", "consensus.json"}) {
    const auto hex = hex_of_vectors(name);
    const auto decoded = sandbox.run({"wire", "decode", "-"}, hex);
    ASSERT_EQ(decoded.status, 0) << decoded.err;
    const auto encoded = sandbox.run({"wire", "encode", "--hex"}, decoded.out);
    EXPECT_EQ(encoded.status, 0) << encoded.err;
    std::string plain;
    std::string again;
    for (const char c : hex) {
      if (c != '\n') plain += c;
    }
    for (const char c : encoded.out) {
      if (c != '\n') again += c;
    }
    EXPECT_EQ(again, plain) << name;
  }
}

TEST(WireCommand, ABadFrameIsOneLineAndTheNextFollows) {
  const Sandbox sandbox;
  const auto ran = sandbox.run({"wire", "decode"}, "00000004ffffffff 000000042a000000");
  EXPECT_EQ(ran.status, 65);
  std::istringstream lines(ran.out);
  std::string first;
  std::string second;
  ASSERT_TRUE(std::getline(lines, first));
  ASSERT_TRUE(std::getline(lines, second));
  EXPECT_TRUE(json::parse(first).as_object().contains("error"));
  EXPECT_TRUE(json::parse(first).as_object().contains("offset"));
  EXPECT_EQ(json::parse(second).at("variant").as_string(), "GetPeers");
}

TEST(WireCommand, BadJsonLinesAreNamedAndTheGoodOnesEncoded) {
  const Sandbox sandbox;
  const auto ran = sandbox.run({"wire", "encode", "--hex"},
                               "{\"variant\":\"GetPeers\",\"fields\":{}}\nnonsense\n");
  EXPECT_EQ(ran.status, 65);
  EXPECT_EQ(ran.out, "000000042a000000\n");
  EXPECT_NE(ran.err.find("line 2"), std::string::npos) << ran.err;
}

TEST(WireCommand, AnEndlessStreamNeedsLittleMemory) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer reserves terabytes of address space";
#endif
  const Sandbox sandbox;
  const auto ran = sandbox.run_program(
      {"bash", "-c",
       "ulimit -v 400000; yes 000000042a000000 2>/dev/null | head -c 3400000 | " TIMECTL_BINARY
       " wire decode | wc -l"});
  EXPECT_EQ(ran.out, "200000\n") << ran.err;
}

}  // namespace
}  // namespace timectl::testing
