#include "daemon/wire/transcript.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "daemon/wire/transcript_encoder.h"
#include "tests/wire/vectors.h"

namespace timectl::wire {
namespace {

namespace json = boost::json;
using test::text_of;

std::string as_text(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Outcome {
  std::vector<json::object> lines;
  bool failed = false;
};

Outcome decode_all(std::string_view stream, TranscriptOptions options = {},
                   std::size_t chunk = std::string::npos) {
  TranscriptDecoder decoder(options);
  std::string text;
  while (!stream.empty()) {
    text += decoder.feed(stream.substr(0, chunk));
    stream.remove_prefix(std::min(chunk, stream.size()));
  }
  text += decoder.finish();
  Outcome outcome{{}, decoder.failed()};
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    outcome.lines.push_back(json::parse(text.substr(at, end - at)).as_object());
    at = end + 1;
  }
  return outcome;
}

TEST(Transcript, EveryVectorIsOneLineInTheFormOfTheVectors) {
  for (const auto& folder : test::vector_folders()) {
    for (const json::value& value : test::load_messages(folder)) {
      const json::object& entry = value.as_object();
      SCOPED_TRACE(text_of(entry, "name"));
      const Outcome outcome = decode_all(as_text(test::bytes_of(entry, "frame_hex")));
      ASSERT_EQ(outcome.lines.size(), 1U);
      EXPECT_FALSE(outcome.failed);
      const json::object& line = outcome.lines[0];
      for (const char* key : {"variant", "variant_index", "fields", "blocks"}) {
        ASSERT_EQ(line.contains(key), entry.contains(key)) << key;
        if (line.contains(key)) {
          EXPECT_EQ(line.at(key), entry.at(key));
        }
      }
      if (entry.contains("txids")) {
        EXPECT_EQ(line.at("txids"), entry.at("txids"));
      }
      EXPECT_FALSE(line.contains("trailing"));
    }
  }
}

TEST(Transcript, DecodingAndEncodingAreInverses) {
  std::string stream;
  for (const json::value& value : test::load_messages(test::vector_folders().front())) {
    stream += as_text(test::bytes_of(value.as_object(), "frame_hex"));
  }
  for (const json::value& value : test::load_vectors(test::vector_folders().front(), "bad")) {
    if (!value.as_object().at("ok").as_bool()) continue;
    const auto payload = test::bytes_of(value.as_object(), "payload_hex");
    const auto header = frame_header(payload.size());
    stream.append(header.begin(), header.end());
    stream += as_text(payload);
  }
  TranscriptDecoder decoder;
  const std::string lines = decoder.feed(stream) + decoder.finish();
  EXPECT_FALSE(decoder.failed());
  for (const std::size_t chunk : {std::size_t{13}, std::size_t{4096}, lines.size()}) {
    TranscriptEncoder encoder;
    std::string encoded;
    for (std::size_t at = 0; at < lines.size(); at += chunk) {
      encoded += as_text(encoder.feed(std::string_view(lines).substr(at, chunk)).frames);
    }
    encoded += as_text(encoder.finish().frames);
    EXPECT_TRUE(encoded == stream);
    EXPECT_FALSE(encoder.failed());
  }
}

TEST(Transcript, VectorsThemselvesCanBeEncoded) {
  for (const json::value& value : test::load_messages(test::vector_folders().front())) {
    TranscriptEncoder encoder;
    const auto none = encoder.feed(json::serialize(value));
    EXPECT_TRUE(none.frames.empty());
    const auto output = encoder.finish();
    EXPECT_EQ(to_hex(output.frames), text_of(value.as_object(), "frame_hex"));
  }
}

TEST(Transcript, HexTextMayBeSplitAndSpacedAnywhere) {
  std::string raw;
  std::string hex = "\n ";
  for (const char* file : {"handshake", "peers", "blocks"}) {
    for (const json::value& value : test::load_vectors(test::vector_folders().front(), file)) {
      const std::string frame = text_of(value.as_object(), "frame_hex");
      raw += as_text(from_hex(frame).value());
      for (std::size_t i = 0; i < frame.size(); ++i) {
        hex += i % 2 == 0 ? frame[i] : static_cast<char>(std::toupper(frame[i]));
        if (i % 17 == 0) hex += " \t\r\n";
      }
    }
  }
  const Outcome wanted = decode_all(raw);
  EXPECT_FALSE(wanted.failed);
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{3}, std::size_t{1000}, hex.size()}) {
    const Outcome outcome = decode_all(hex, {}, chunk);
    EXPECT_FALSE(outcome.failed);
    EXPECT_TRUE(outcome.lines == wanted.lines) << chunk;
    EXPECT_TRUE(decode_all(raw, {}, chunk).lines == wanted.lines) << chunk;
  }
  EXPECT_TRUE(decode_all(hex, {TranscriptOptions::Input::hex}).lines == wanted.lines);
}

TEST(Transcript, StreamsOfTheVectorsGiveOneLinePerFrame) {
  for (const auto& folder : test::vector_folders()) {
    for (const json::value& value : test::load_vectors(folder, "bad_frames")) {
      const json::object& entry = value.as_object();
      SCOPED_TRACE(text_of(entry, "name"));
      const std::string stream = as_text(test::bytes_of(entry, "stream_hex"));
      for (std::size_t chunk = 1; chunk <= stream.size(); ++chunk) {
        const Outcome outcome = decode_all(stream, {TranscriptOptions::Input::raw}, chunk);
        std::size_t line = 0;
        bool failed = false;
        for (const json::value& read : entry.at("upstream_reads").as_array()) {
          if (read.as_string() == "EOF") continue;
          const bool bad =
              read.as_string() == "UnknownMessage" || read.as_string().starts_with("ERROR");
          ASSERT_LT(line, outcome.lines.size());
          EXPECT_EQ(outcome.lines[line].contains("error"), bad);
          EXPECT_EQ(outcome.lines[line].contains("offset"), bad);
          ++line;
          failed = failed || bad;
        }
        EXPECT_EQ(line, outcome.lines.size());
        EXPECT_EQ(outcome.failed, failed);
      }
    }
  }
}

TEST(Transcript, TheUnknownMessageHasNoFields) {
  const Outcome outcome = decode_all("00000004 64000000");
  ASSERT_EQ(outcome.lines.size(), 1U);
  EXPECT_EQ(json::serialize(outcome.lines[0]),
            R"({"variant":"UnknownMessage","variant_index":100,"fields":{}})");
  EXPECT_FALSE(outcome.failed);
}

TEST(Transcript, TrailingBytesAreCountedAndKept) {
  const Outcome outcome = decode_all("0000000604000000beef");
  ASSERT_EQ(outcome.lines.size(), 1U);
  EXPECT_EQ(outcome.lines[0].at("trailing").as_int64(), 2);
  EXPECT_EQ(outcome.lines[0].at("trailing_hex").as_string(), "beef");
  EXPECT_FALSE(outcome.failed);
}

TEST(Transcript, AnErrorTellsItsPlaceInTheStreamAndTheNextFrameFollows) {
  const Outcome outcome = decode_all("0000000404000000 00000005ffffffffff 000000042a000000");
  ASSERT_EQ(outcome.lines.size(), 3U);
  EXPECT_EQ(outcome.lines[1].at("offset").as_int64(), 12);
  EXPECT_EQ(outcome.lines[2].at("variant").as_string(), "GetPeers");
  EXPECT_TRUE(outcome.failed);
}

TEST(Transcript, ATooLargeLengthEndsTheStreamWithOneLine) {
  const Outcome outcome = decode_all("000000042a000000 00800001 000000042a000000", {}, 3);
  ASSERT_EQ(outcome.lines.size(), 2U);
  EXPECT_EQ(outcome.lines[1].at("offset").as_int64(), 8);
  EXPECT_TRUE(outcome.failed);
}

TEST(Transcript, TextThatIsNoHexIsAnError) {
  const std::vector<std::pair<std::string, std::int64_t>> table{
      {"000000042a00000g", 7}, {"000000042a0000000", 8}, {"0000000", 3}};
  for (const auto& [text, offset] : table) {
    const Outcome outcome = decode_all(text);
    EXPECT_TRUE(outcome.failed) << text;
    ASSERT_FALSE(outcome.lines.empty());
    EXPECT_EQ(outcome.lines.back().at("offset").as_int64(), offset) << text;
  }
  EXPECT_TRUE(decode_all("GET / HTTP/1.1\r\n").failed);
}

TEST(Transcript, OlderTablesAndOlderBlocksAreReadOnRequest) {
  const json::array entries = test::load_vectors(test::vector_folders().front(), "legacy_blocks");
  const json::object& entry = entries.front().as_object();
  const std::string frame = text_of(entry, "frame_hex");
  EXPECT_TRUE(decode_all(frame).failed);
  TranscriptOptions options;
  options.legacy_blocks = true;
  const Outcome outcome = decode_all(frame, options);
  ASSERT_FALSE(outcome.failed);
  EXPECT_EQ(outcome.lines[0].at("blocks"), entry.at("upstream_blocks"));
  EXPECT_TRUE(outcome.lines[0].at("legacy").as_bool());
  options.commit_count = 2188;
  EXPECT_TRUE(decode_all("0000000c 48000000 0000000000000000", options).failed);
  EXPECT_FALSE(decode_all("0000000c 48000000 0000000000000000").failed);
}

TEST(Transcript, LinesThatCannotBeEncodedAreToldWithTheirNumber) {
  TranscriptEncoder encoder;
  const auto output = encoder.feed(
      "\n{\"variant\":\"GetPeers\",\"fields\":{}}\nnonsense\n[]\n{\"fields\":{}}\n"
      "{\"variant\":\"GetPeers\"}\n{\"variant\":\"GetPeers\",\"variant_index\":1,\"fields\":{}}\n"
      "{\"variant_index\":42,\"fields\":{}}\n{\"error\":\"x\",\"offset\":0}\n"
      "{\"variant\":\"GetPeers\",\"fields\":{},\"trailing_hex\":\"x\"}\n");
  EXPECT_EQ(to_hex(output.frames), "000000042a000000000000042a000000");
  ASSERT_EQ(output.errors.size(), 7U);
  EXPECT_TRUE(output.errors[0].starts_with("line 3: is not JSON"));
  EXPECT_EQ(output.errors[3], "line 6: lacks \"fields\"");
  EXPECT_TRUE(encoder.failed());
}

}  // namespace
}  // namespace timectl::wire
