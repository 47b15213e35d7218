#pragma once
// A peer that speaks the network's real frames over real sockets and misbehaves as its script says
// (scenarios.md): TLS server and client. Tests of daemon/net and end-to-end tests make one on a
// 127.0.0.x address, run its io_context and look at what it has seen. It never sleeps: whoever runs
// the io_context waits for a state with a deadline.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/net/listener.h"
#include "daemon/net/tls.h"
#include "daemon/wire/messages.h"
#include "daemon/wire/network_params.h"
#include "tests/support/chain_faults.h"
#include "tests/support/served_chain.h"

namespace timectl::test {

struct Script {
  bool accept_then_close = false;  // before TLS
  bool silent = false;             // TCP only
  bool no_tls = false;             // plaintext frames
  bool close_after_tls = false;    // as for a wrong SNI
  bool version_alert = false;      // a TLS alert instead of a ServerHello
  bool no_handshake = false;       // dialling: TLS, then nothing
  bool no_ack = false;
  bool other_frames = false;  // with no_ack: what would come behind the Ack comes
  bool redirect = false;      // a PeerExchange right behind the Ack
  std::chrono::milliseconds ack_after{0};
  std::optional<wire::Magic> magic = {};
  std::optional<std::uint32_t> proto = {};
  std::optional<std::uint32_t> commit = {};
  std::optional<std::string> notice = {};  // a rejection notice with this text, then the end
  std::optional<wire::Hash32> genesis = {};
  std::optional<std::uint64_t> height = {};
  std::optional<wire::Hash32> tip = {};                // answers GetChainTip, with `height`
  std::map<std::uint64_t, wire::Hash32> hash_at = {};  // answers GetBlockHash; others: unknown
  std::int64_t clock = 0;                              // seconds that its clock is ahead
  bool drop_pongs = false;
  std::chrono::milliseconds drop_pongs_for = std::chrono::milliseconds::max();  // from its start
  std::optional<std::chrono::milliseconds> flap = {};  // each connection ends after so long
  bool evict_on_second = false;                 // a second connection of an address ends the first
  std::optional<std::size_t> ban_after = {};    // so many connections are served, no more
  std::optional<std::uint32_t> frame_len = {};  // a header of this length behind the Ack
  struct GeneratedChain {
    std::uint64_t seed = 0;
    std::size_t count = 0;
  };
  std::optional<GeneratedChain> generated_chain = {};  // made when the peer takes the script
  std::shared_ptr<const ServedChain> chain = {};       // served; heights and tips are its own
  std::vector<ChainFault> chain_faults = {};           // while it is
  std::string record = {};                             // a file: one line per accept, SNI and end
};

// "silent", "no-ack height=12", "magic=54494d45", ...: words of scenarios.md, by spaces. `notice=`
// takes the rest of the text; times are in seconds, also with a fraction, but for ack-after.
// `chain=SEED:COUNT` serves a chain of so many blocks above genesis, the same for the same seed,
// and `chain-fault=NAME[@HEIGHT]`, also several, does so badly: the names are in chain_faults.h.
// Errors: invalid_argument naming the word.
[[nodiscard]] Result<Script> parse_script(std::string_view text);

// A whole frame of any message, also of those that timectl itself never sends.
[[nodiscard]] std::vector<std::uint8_t> frame_of(const wire::Message& message);

class ScriptedPeer {
 public:
  // What happened on one connection.
  struct Seen {
    IpAddress remote = {};
    bool tls = false;
    std::string server_name = {};
    std::vector<std::string> messages = {};  // names, in order
    std::vector<std::uint64_t> pongs = {};   // nonces
    std::vector<std::uint64_t> pings = {};   // nonces
    std::uint64_t bytes = 0;
    std::optional<std::chrono::milliseconds> spoke_after = {};  // its first message, after TLS
    std::string end = {};  // "close_notify", "FIN", "RST", ...; empty while it lives

    [[nodiscard]] bool has(std::string_view message) const;
    [[nodiscard]] std::size_t count(std::string_view message) const;
  };

  // Listens at once; port 0: any. Throws std::runtime_error when it cannot.
  ScriptedPeer(boost::asio::io_context& io, const net::Endpoint& at, Script script,
               timectl::Network network = timectl::Network::testnet);
  ~ScriptedPeer();

  [[nodiscard]] std::uint16_t port() const;
  void set_script(Script script);      // for connections that begin from now on
  void dial(const net::Endpoint& to);  // from its own address, by the same script
  void stop_listening();

  // To all that live: bytes as they are, a message, an orderly end, a reset.
  void send_raw(std::span<const std::uint8_t> bytes);
  void send(const wire::Message& message);
  void close_all();
  void reset_all();

  // Is called with each message that comes, before it is answered.
  void listen(std::function<void(const wire::Message&)> heard);

  [[nodiscard]] const std::list<Seen>& seen() const;  // oldest first
  [[nodiscard]] const Seen& last() const;             // there must be one
  [[nodiscard]] std::size_t living() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

// Runs `io` until `done` holds; false after `deadline`. The only way in which tests wait.
[[nodiscard]] bool run_until(boost::asio::io_context& io, const std::function<bool()>& done,
                             std::chrono::milliseconds deadline = std::chrono::seconds(5));

}  // namespace timectl::test
