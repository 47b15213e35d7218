#include "daemon/web/board.h"

#include <gtest/gtest.h>

namespace timectl::web {
namespace {

using namespace std::string_literals;

std::string put(const std::string& key, const std::string& json) {
  return "event: put\ndata: {\"key\":\"" + key + "\",\"value\":" + json + "}\n\n";
}
std::string drop(const std::string& key) {
  return "event: drop\ndata: {\"key\":\"" + key + "\"}\n\n";
}

// One client, as a session keeps it.
struct Client {
  std::uint64_t cursor = 0;
  std::string next(Board& board) {
    const auto frame = board.next(cursor);
    EXPECT_TRUE(frame.has_value());
    if (!frame) return "lost";
    cursor = frame->cursor;
    return frame->text ? *frame->text : "";
  }
};

TEST(Board, AClientGetsEverythingAndThenWhatChanged) {
  Board board;
  board.set("a", "1");
  board.set("b", "2");
  Client client;
  EXPECT_EQ(client.next(board), put("a", "1") + put("b", "2"));
  EXPECT_EQ(client.next(board), "");
  board.set("a", "1");  // the same text is no change
  EXPECT_EQ(client.next(board), "");
  board.set("a", "3");
  EXPECT_EQ(client.next(board), put("a", "3"));
  board.drop("b");
  board.drop("b");
  board.drop("never");
  EXPECT_EQ(client.next(board), drop("b"));
  EXPECT_EQ(client.next(board), "");
}

TEST(Board, ASlowClientGetsTheNewestOfEachKeyOnce) {
  Board board;
  Client client;
  board.set("a", "0");
  (void)client.next(board);
  for (int i = 1; i <= 1000; ++i) {
    board.set("a", std::to_string(i));
    board.set("b", std::to_string(i));
  }
  board.set("gone", "1");
  board.drop("gone");
  EXPECT_EQ(client.next(board), put("a", "1000") + put("b", "1000") + drop("gone"));
  EXPECT_EQ(Client().next(board), put("a", "1000") + put("b", "1000")) << "nothing of what is gone";
}

TEST(Board, KeysAndWordsAreQuotedAsJson) {
  Board board;
  board.set("alert/x/\"<b>\n", "1");
  EXPECT_EQ(Client().next(board),
            "event: put\ndata: {\"key\":\"alert/x/\\\"<b>\\n\",\"value\":1}\n\n");
}

TEST(Board, ThoseWhoAreEquallyFarShareOneFrame) {
  Board board;
  board.set("a", "1");
  const auto first = board.next(0);
  const auto second = board.next(0);
  EXPECT_EQ(first->text.get(), second->text.get());
  board.set("b", "1");
  EXPECT_NE(board.next(0)->text.get(), first->text.get());
}

TEST(Board, AFrameIsBoundedAndTheRestFollows) {
  Board board;
  const std::string value = "\"" + std::string(10'000, 'x') + "\"";
  for (int i = 0; i < 50; ++i) board.set("k" + std::to_string(i), value);
  Client client;
  std::size_t frames = 0;
  std::string all;
  for (auto text = client.next(board); !text.empty(); text = client.next(board)) {
    EXPECT_LE(text.size(), Board::kFrameBytes + 100);
    all += text;
    ++frames;
  }
  EXPECT_GT(frames, 5U);
  for (int i = 0; i < 50; ++i) {
    EXPECT_NE(all.find("\"k" + std::to_string(i) + "\""), std::string::npos) << i;
  }
}

TEST(Board, AValueLargerThanAFrameStillArrives) {
  Board board;
  const std::string value = "\"" + std::string(3 * Board::kFrameBytes, 'x') + "\"";
  board.set("a", "1");
  board.set("big", value);
  Client client;
  EXPECT_EQ(client.next(board), put("a", "1"));
  EXPECT_EQ(client.next(board), put("big", value));
}

TEST(Board, IsBoundedInKeysAndBytes) {
  Board board;
  for (std::size_t i = 0; i < Board::kMostKeys; ++i) {
    ASSERT_TRUE(board.set(std::to_string(i), "1"));
  }
  EXPECT_FALSE(board.set("one more", "1"));
  EXPECT_TRUE(board.set("0", "2")) << "known keys still change";
  board.drop("1");
  EXPECT_TRUE(board.set("one more", "1"));
  EXPECT_EQ(board.size(), Board::kMostKeys);

  Board heavy;
  const std::string half(Board::kMostBytes / 2, 'x');
  EXPECT_TRUE(heavy.set("a", half));
  EXPECT_TRUE(heavy.set("b", half));
  EXPECT_FALSE(heavy.set("c", "1"));
  EXPECT_FALSE(heavy.set("b", half + "x"));
  EXPECT_FALSE(heavy.value("b").has_value()) << "an old value would be a lie";
  EXPECT_EQ(heavy.bytes(), half.size());
}

TEST(Board, WhatIsGoneIsRememberedForAWhileOnly) {
  Board board;
  board.set("stays", "1");
  Client slow;
  (void)slow.next(board);
  Client quick = slow;
  for (std::size_t i = 0; i < 3 * Board::kMostDropped; ++i) {
    const auto key = "event/" + std::to_string(i);
    board.set(key, "1");
    board.drop(key);
    if (i % 100 == 0) {
      EXPECT_NE(quick.next(board), "lost");
    }
  }
  EXPECT_FALSE(board.next(slow.cursor).has_value()) << "it must begin anew";
  EXPECT_EQ(Client().next(board), put("stays", "1"));
  EXPECT_EQ(board.size(), 1U);
}

TEST(Board, AKeyThatCameBackIsPut) {
  Board board;
  board.set("a", "1");
  Client client;
  (void)client.next(board);
  board.drop("a");
  board.set("a", "1");
  EXPECT_EQ(client.next(board), put("a", "1"));
  EXPECT_EQ(board.size(), 1U);
}

TEST(Board, OthersOfAPrefixAreDropped) {
  Board board;
  for (const char* key : {"masternode", "masternode/1", "masternode/2", "masternode/3", "n"}) {
    board.set(key, "1");
  }
  board.drop_others("masternode/", [](std::string_view rest) { return rest == "2"; });
  EXPECT_EQ(board.keys(""), (std::vector{"masternode"s, "masternode/2"s, "n"s}));
}

}  // namespace
}  // namespace timectl::web
