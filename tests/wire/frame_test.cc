#include "daemon/wire/frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "daemon/wire/codec.h"
#include "tests/wire/vectors.h"

namespace timectl::wire {
namespace {

namespace json = boost::json;

// What the reference reader reports for a stream: names, "UnknownMessage", "EOF", "ERROR ...".
std::vector<std::string> read_all(const std::vector<std::uint8_t>& stream, std::size_t chunk) {
  std::vector<std::string> reads;
  FrameReader reader(max_frame_size);
  Arena arena;
  for (std::size_t at = 0; at < stream.size() && !reader.too_large(); at += chunk) {
    // Copied, so that a payload that points into an earlier chunk is seen by the sanitizer.
    const std::size_t size = std::min(chunk, stream.size() - at);
    const std::vector<std::uint8_t> piece(stream.begin() + static_cast<std::ptrdiff_t>(at),
                                          stream.begin() + static_cast<std::ptrdiff_t>(at + size));
    reader.feed(piece);
    while (const auto payload = reader.next()) {
      const auto decoded = decode(*payload, arena);
      reads.emplace_back(decoded ? message_name(decoded->message) : "UnknownMessage");
    }
  }
  if (reader.too_large()) {
    reads.push_back("ERROR Frame too large: " + std::to_string(reader.announced()) +
                    " bytes (max: 8388608)");
  } else if (reader.announced() > 0) {
    reads.emplace_back("ERROR Failed to read frame payload: early eof");
  } else {
    reads.emplace_back("EOF");
  }
  return reads;
}

TEST(Frame, StreamsOfTheVectorsGiveTheSameFramesAtEveryChunkSize) {
  for (const auto& folder : test::vector_folders()) {
    for (const json::value& value : test::load_vectors(folder, "bad_frames")) {
      const json::object& entry = value.as_object();
      const auto stream = test::bytes_of(entry, "stream_hex");
      std::vector<std::string> wanted;
      for (const json::value& read : entry.at("upstream_reads").as_array()) {
        wanted.emplace_back(read.as_string());
      }
      for (std::size_t chunk = 1; chunk <= stream.size() + 1; ++chunk) {
        EXPECT_EQ(read_all(stream, chunk), wanted)
            << test::text_of(entry, "name") << " in chunks of " << chunk;
      }
    }
  }
}

TEST(Frame, AllMessagesInOneStreamArriveAtAnyChunkSize) {
  std::vector<std::uint8_t> stream;
  std::vector<std::string> wanted;
  for (const json::value& value : test::load_messages(test::vector_folders().front())) {
    const auto frame = test::bytes_of(value.as_object(), "frame_hex");
    stream.insert(stream.end(), frame.begin(), frame.end());
    wanted.push_back(test::text_of(value.as_object(), "variant"));
  }
  wanted.emplace_back("EOF");
  for (const std::size_t chunk : {1U, 2U, 3U, 4U, 5U, 7U, 64U, 1000U, 4096U, 65536U, 10000000U}) {
    EXPECT_EQ(read_all(stream, chunk), wanted) << chunk;
  }
}

TEST(Frame, RandomChunksGiveBackTheSamePayloads) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<std::uint8_t>> payloads;
    std::vector<std::uint8_t> stream;
    for (int i = 0; i < 8; ++i) {
      std::vector<std::uint8_t> payload(random() % (i % 2 == 0 ? 20 : 70000));
      for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
      const auto header = frame_header(payload.size());
      stream.insert(stream.end(), header.begin(), header.end());
      stream.insert(stream.end(), payload.begin(), payload.end());
      payloads.push_back(std::move(payload));
    }
    FrameReader reader(max_frame_size);
    std::size_t got = 0;
    std::span<const std::uint8_t> rest(stream);
    while (!rest.empty()) {
      const std::size_t size = std::min<std::size_t>(rest.size(), random() % 30000);
      reader.feed(rest.first(size));
      while (const auto payload = reader.next()) ASSERT_EQ(*payload, Bytes(payloads[got++]));
      rest = rest.subspan(size);
    }
    EXPECT_EQ(got, payloads.size());
    EXPECT_FALSE(reader.inside_frame());
  }
}

TEST(Frame, TheLimitCanBeRaisedAfterTheHandshake) {
  std::vector<std::uint8_t> frame(4 + 1025);
  const auto header = frame_header(1025);
  std::copy(header.begin(), header.end(), frame.begin());
  FrameReader stranger;
  stranger.feed(frame);
  EXPECT_FALSE(stranger.next());
  EXPECT_TRUE(stranger.too_large());
  FrameReader peer;
  peer.set_limit(max_frame_size);
  peer.feed(frame);
  EXPECT_TRUE(peer.next());
  EXPECT_FALSE(peer.too_large());
}

TEST(Frame, NothingIsReservedForALengthThatIsOnlyAnnounced) {
  FrameReader reader(max_frame_size);
  const auto header = frame_header(max_frame_size);
  reader.feed(header);
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.announced(), max_frame_size);
  EXPECT_LE(reader.buffered(), 64U);
  const std::vector<std::uint8_t> part(1000);
  reader.feed(part);
  EXPECT_FALSE(reader.next());
  EXPECT_GE(reader.buffered(), 1000U);
  EXPECT_LE(reader.buffered(), 2000U);
}

TEST(Frame, MemoryOfALargeFrameIsGivenBack) {
  FrameReader reader(max_frame_size);
  const std::vector<std::uint8_t> chunk(1 << 20);
  const auto header = frame_header(4 << 20);
  reader.feed(header);
  EXPECT_FALSE(reader.next());
  for (int i = 0; i < 4; ++i) {
    reader.feed(chunk);
    EXPECT_EQ(reader.next().has_value(), i == 3);
  }
  EXPECT_GE(reader.buffered(), 4U << 20);
  EXPECT_FALSE(reader.next());
  EXPECT_LE(reader.buffered(), 16U << 10);
}

TEST(Frame, FeedingBeforeTheReaderIsDrainedIsABug) {
  FrameReader reader;
  const auto frame = from_hex("00000000000000000000").value();
  reader.feed(frame);
  ASSERT_TRUE(reader.next());
  EXPECT_THROW(reader.feed(frame), std::logic_error);
}

}  // namespace
}  // namespace timectl::wire
