#include "daemon/net/handshake.h"

#include <gtest/gtest.h>

#include "daemon/wire/arena.h"
#include "daemon/wire/codec.h"

namespace timectl::net {
namespace {

using Verdict = Handshake::Verdict;

const wire::NetworkParams& testnet() {
  return wire::params_of(wire::Network::testnet);
}

Handshake machine(Direction direction) {
  return Handshake(direction, {&testnet(), 2344, 2062});
}

wire::msg::Handshake hello(std::uint32_t commit = 2344, std::uint32_t protocol = 2) {
  wire::msg::Handshake handshake;
  handshake.magic = testnet().magic;
  handshake.protocol_version = protocol;
  handshake.network = "testnet";
  handshake.commit_count = commit;
  return handshake;
}

wire::msg::Ack ack() {
  wire::msg::Ack message;
  message.message_type = "Handshake";
  return message;
}

wire::msg::ForkAlert notice(std::string_view text) {
  wire::msg::ForkAlert alert;
  alert.message = text;
  return alert;
}

TEST(HandshakeTest, DialerSpeaksFirstAndAcceptorDoesNot) {
  const auto step = machine(Direction::out).start();
  ASSERT_EQ(step.replies.size(), 1U);
  EXPECT_EQ(step.replies[0].index(), wire::message_index("Handshake"));
  EXPECT_TRUE(machine(Direction::in).start().replies.empty());
}

TEST(HandshakeTest, OurHandshakeIsTheOneOfTheNetwork) {
  const auto frame = machine(Direction::out).start().replies.at(0).frame();
  wire::Arena arena;
  const auto decoded = wire::decode(wire::Bytes(frame.data() + 4, frame.size() - 4), arena);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<wire::msg::Handshake>(decoded->message), hello());
}

TEST(HandshakeTest, AcceptorAnswersAckThenItsOwnHandshake) {
  auto acceptor = machine(Direction::in);
  const auto step = acceptor.on_message(hello(2200));
  EXPECT_EQ(step.verdict, Verdict::ready);
  ASSERT_EQ(step.replies.size(), 2U);
  EXPECT_EQ(step.replies[0].index(), wire::message_index("Ack"));
  EXPECT_EQ(step.replies[1].index(), wire::message_index("Handshake"));
  EXPECT_EQ(acceptor.hello().commit_count, 2200U);
}

TEST(HandshakeTest, DialerIsReadyAtTheAckWithoutThePeersHandshake) {
  auto dialer = machine(Direction::out);
  const auto step = dialer.on_message(ack());
  EXPECT_EQ(step.verdict, Verdict::ready);
  EXPECT_TRUE(step.replies.empty());
  EXPECT_FALSE(dialer.hello().commit_count);
  EXPECT_EQ(dialer.on_late_handshake(hello(2100)).verdict, Verdict::wait);
  EXPECT_EQ(dialer.hello().commit_count, 2100U);
}

TEST(HandshakeTest, DialerWaitsThroughOtherMessages) {
  auto dialer = machine(Direction::out);
  EXPECT_EQ(dialer.on_message(wire::msg::Ping{}).verdict, Verdict::wait);
  EXPECT_EQ(dialer.on_message(hello()).verdict, Verdict::wait);
  EXPECT_EQ(dialer.on_undecodable().verdict, Verdict::wait);
  EXPECT_EQ(dialer.on_message(ack()).verdict, Verdict::ready);
}

struct Rejection {
  wire::msg::Handshake handshake;
  EndReason reason;
};

TEST(HandshakeTest, WrongHandshakesAreToldApartInBothRolesAndLate) {
  auto other = hello();
  other.magic = wire::params_of(wire::Network::mainnet).magic;
  const Rejection table[] = {{other, EndReason::wrong_magic},
                             {hello(2344, 1), EndReason::old_protocol},
                             {hello(2344, 0), EndReason::old_protocol},
                             {hello(2061), EndReason::old_commit},
                             {hello(0), EndReason::old_commit}};
  for (const auto& row : table) {
    for (const auto direction : {Direction::in, Direction::out}) {
      auto handshake = machine(direction);
      const auto step = handshake.on_message(row.handshake);
      EXPECT_EQ(step.verdict, Verdict::close);
      EXPECT_EQ(step.reason, row.reason);
      EXPECT_TRUE(step.replies.empty()) << "we never send a notice";
    }
    auto late = machine(Direction::out);
    (void)late.on_message(ack());
    EXPECT_EQ(late.on_late_handshake(row.handshake).reason, row.reason);
  }
}

TEST(HandshakeTest, NewerPeersAreWelcome) {
  auto acceptor = machine(Direction::in);
  EXPECT_EQ(acceptor.on_message(hello(0xffffffff, 0xffffffff)).verdict, Verdict::ready);
}

TEST(HandshakeTest, WrongMagicNamesBothNetworks) {
  auto other = hello();
  other.magic = wire::params_of(wire::Network::mainnet).magic;
  const auto step = machine(Direction::out).on_message(other);
  EXPECT_NE(step.detail.find("mainnet (c01d7e4d)"), std::string::npos) << step.detail;
  EXPECT_NE(step.detail.find("testnet (54494d45)"), std::string::npos) << step.detail;
}

TEST(HandshakeTest, ARepeatedHandshakeChangesNothing) {
  auto dialer = machine(Direction::out);
  (void)dialer.on_message(hello(2100));
  EXPECT_EQ(dialer.on_message(hello(1)).verdict, Verdict::wait);
  EXPECT_EQ(dialer.on_late_handshake(hello(1)).verdict, Verdict::wait);
  EXPECT_EQ(dialer.hello().commit_count, 2100U);
}

TEST(HandshakeTest, AcceptorTakesNothingButAHandshakeAsTheFirstFrame) {
  auto first = machine(Direction::in);
  EXPECT_EQ(first.on_message(wire::msg::Ping{}).reason, EndReason::no_handshake);
  auto garbage = machine(Direction::in);
  EXPECT_EQ(garbage.on_undecodable().verdict, Verdict::close);
}

TEST(HandshakeTest, NoticesAreReadByTheirText) {
  const std::pair<std::string_view, EndReason> table[] = {
      {"Your commit count 12 is too old", EndReason::old_commit},
      {"Protocol version 1 not supported", EndReason::old_protocol},
      {"go away", EndReason::rejected_notice}};
  for (const auto& [text, reason] : table) {
    const auto step = machine(Direction::out).on_message(notice(text));
    EXPECT_EQ(step.verdict, Verdict::close);
    EXPECT_EQ(step.reason, reason) << text;
    EXPECT_NE(step.detail.find(text), std::string::npos);
  }
}

TEST(HandshakeTest, TextOfANoticeIsMadePrintable) {
  const auto step = machine(Direction::out).on_message(notice("\x1b[31mred\n"));
  EXPECT_EQ(step.detail.find('\x1b'), std::string::npos);
  EXPECT_EQ(step.detail.find('\n'), std::string::npos);
}

TEST(HandshakeTest, AnOrdinaryForkAlertIsNoRejection) {
  auto alert = notice("you are behind");
  alert.consensus_height = 5;
  EXPECT_FALSE(rejection(alert));
  EXPECT_EQ(machine(Direction::out).on_message(alert).verdict, Verdict::wait);
}

TEST(HandshakeTest, AnEndSaysWhetherAWordWasHeard) {
  auto dialer = machine(Direction::out);
  EXPECT_EQ(dialer.on_end("FIN").reason, EndReason::no_handshake);
  EXPECT_EQ(dialer.on_timeout().reason, EndReason::no_handshake);
  (void)dialer.on_message(wire::msg::Ping{});
  EXPECT_EQ(dialer.on_end("FIN").reason, EndReason::closed_by_peer);
  EXPECT_NE(dialer.on_timeout().detail.find("other frames"), std::string::npos);
}

}  // namespace
}  // namespace timectl::net
