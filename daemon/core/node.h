#pragma once
// Node: the decisions of a running node, without sockets, clocks or threads. The shell
// (daemon/net) reports what happened as on_...() with the time, then executes take_commands();
// a test does the same on a virtual network. All calls come from one thread.
//
// Promises, checked by check_invariants() after each event of a simulation: at most
// max_connections in all; no masternode refused below that; one connection per peer; no command
// for a connection that is gone; dials inside the table of requirements R and its ledger.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "daemon/core/bans.h"
#include "daemon/core/events.h"
#include "daemon/core/ip_address.h"
#include "daemon/core/path_quality.h"
#include "daemon/core/policy.h"
#include "daemon/core/protection.h"
#include "daemon/core/samples.h"
#include "daemon/core/score.h"
#include "daemon/core/time.h"
#include "daemon/core/views.h"
#include "daemon/core/violation.h"
#include "daemon/core/vocabulary.h"
#include "daemon/core/whitelist.h"

namespace timectl {

// Names one connection (also an attempt) for its life; never reused. Inbound ids come from
// next_connection(), outbound ones in Dial.
enum class ConnectionId : std::uint64_t {};

// Commands: what the shell shall do. All are for connections the shell still has.
struct Dial {  // connect, TLS, Handshake; report on_dial_progress, then on_ready or on_closed
  ConnectionId connection;
  IpAddress ip;
};
struct Proceed {  // a held inbound connection may start TLS
  ConnectionId connection;
};
struct Close {  // orderly: close_notify, FIN; the shell reports on_closed with the same reason
  ConnectionId connection;
  EndReason reason;
  std::string detail;
};
struct SendPing {  // the shell reports on_transport() first
  ConnectionId connection;
  std::uint64_t nonce;  // one-shot, from the node's seeded generator
};
enum class Question : std::uint8_t { genesis_hash, peers, masternodes };
struct Ask {
  ConnectionId connection;
  Question question;
};
struct Record {
  Event event;
};
struct RecordSession {
  SessionRecord session;
};
struct Remember {  // store the dial state of one peer
  PeerMemory memory;
};
struct SetUserTimeout {  // TCP_USER_TIMEOUT of the connection; it begins with the policy's
  ConnectionId connection;
  Duration timeout;
};
using Command = std::variant<Dial, Proceed, Close, SendPing, Ask, Record, RecordSession, Remember,
                             SetUserTimeout>;

enum class Admit : std::uint8_t { accept, hold, reject };  // hold: wait for Proceed or Close

struct Admission {
  Admit verdict = Admit::reject;
  EndReason reason = EndReason::refused;  // of reject
  std::string detail = {};
};

enum class DialStage : std::uint8_t { tcp_connected, tls_done };

struct PeerHello {
  std::uint32_t protocol_version = 0;
  std::optional<std::uint32_t> commit_count = {};  // none: acceptors need not send a Handshake
};

// What the transport counted since the last report of a connection.
struct Traffic {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t unknown_frames = 0;
  std::uint64_t undecodable_frames = 0;
};

struct ClaimedMasternode {
  IpAddress ip = {};
  std::string tier = {};  // as claimed; shown, never trusted
};

struct NodeOptions {
  Policy policy = {};
  std::optional<IpAddress> own_address = {};  // never dialled; none where unknown
  // What decides whether peers are of our network: version, network, address. A peer that was
  // parked under another one is tried again.
  std::string identity = {};
  std::uint64_t seed = 0;
  NodeMode mode = NodeMode::active;  // passive: no Dial is ever emitted
  // The AS that announces an address; none: not known, or there is no database. It spreads the
  // regular dials (R6) and decides nothing else. What it answers may change with a reload.
  std::function<std::optional<std::uint32_t>(const IpAddress&)> as_number = {};
};

class Node {
 public:
  // `whitelist` is asked at each decision and outlives the node.
  Node(NodeOptions options, const Whitelist& whitelist);
  // With a table of bans that outlives it too; the node adds the automatic ones.
  Node(NodeOptions options, const Whitelist& whitelist, Bans& bans);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  void remember(std::vector<PeerMemory> memories);  // from the store, before start()
  void start(Now now);                              // R3: all masternodes first
  // Orderly end: Close(shutdown) for all; no dial afterwards.
  void stop(Now now);

  [[nodiscard]] ConnectionId next_connection();

  // Facts of connections. `local` is the address the connection was accepted on.
  [[nodiscard]] Admission on_inbound(ConnectionId connection, const IpAddress& remote,
                                     const IpAddress& local, Now now);
  void on_dial_progress(ConnectionId connection, DialStage stage, const IpAddress& local, Now now);
  void on_ready(ConnectionId connection, const PeerHello& hello, Now now);
  // Any bytes count as a sign of life (L3).
  void on_traffic(ConnectionId connection, const Traffic& traffic, Now now);
  // What the kernel says of the connection: before each ping, and before on_closed.
  void on_transport(ConnectionId connection, const TransportFacts& facts, Now now);
  void on_pong(ConnectionId connection, std::uint64_t nonce, std::optional<std::uint64_t> height,
               Now now);
  void on_height(ConnectionId connection, std::uint64_t height, Now now);  // ping or tip: a claim
  // A ConnectivityWarning (protocol 4.1): it says that it cannot reach our port. A masternode's is
  // recorded, once an hour; a stranger's word says nothing.
  void on_unreachable_said(ConnectionId connection, const std::string& text, Now now);
  void on_wrong_genesis(ConnectionId connection, const std::string& detail, Now now);
  // What it did about the chain (a bad block, say), by the judgement of whoever asked it.
  void on_misconduct(const IpAddress& ip, ViolationKind kind, const std::string& detail, Now now);
  // The connection or attempt is over, for whichever reason; also after Close.
  void on_closed(ConnectionId connection, EndReason reason, const std::string& detail, Now now);

  // Facts about others. Learned addresses are candidates for regular dials, nothing more (W3).
  void on_peers_learned(const IpAddress& from, const std::vector<IpAddress>& peers, Now now);
  void on_masternodes_claimed(const IpAddress& from, const std::vector<ClaimedMasternode>& claims,
                              Now now);
  // The whitelist has changed for this address (already put): promote or demote at once (W9).
  void on_whitelist_changed(const IpAddress& ip, Now now);
  // The config's blacklist has changed (already set): whoever is on it now goes at once (W4).
  void on_blacklist_changed(Now now);
  // An operator's ban was added or taken away (already put): open connections go at once.
  void on_ban_changed(const BanChange& change, Now now);
  // The configuration was reloaded: new numbers hold from now on, for open connections too.
  void on_policy_changed(const Policy& policy, Now now);

  // Operator's word: dial now (within the ledger) or close and stay away for a while.
  [[nodiscard]] Result<void> connect(const IpAddress& ip, Now now);
  [[nodiscard]] Result<void> disconnect(const IpAddress& ip, Duration stay_away, Now now);

  // A probe by somebody else (`diagnose peer --probe`) dials this address in our name: counted in
  // the same ledger as our dials, and none of ours is made until end_probe(). Errors: a connection
  // or attempt is there (`guarded`), the ledger is used up until a time that the error names, the
  // address is ours, or the node is passive or stopping.
  [[nodiscard]] Result<void> begin_probe(const IpAddress& ip, Now now);
  // `failed`: how it ended, where it did not come through; what the peer's node counts and bans for
  // moves our ladder as a dial would.
  void end_probe(const IpAddress& ip, Now now, std::optional<EndReason> failed = {});
  // A time stamp of the peer's, in whole seconds (protocol 6): what its clock says now.
  void on_clock(ConnectionId connection, WallTime theirs, Now now);

  void tick(Now now);                       // when due
  [[nodiscard]] Instant next_tick() const;  // the earliest time at which tick() has work
  // `spare`: an empty vector whose memory the next commands may use; what was taken, cleared.
  [[nodiscard]] std::vector<Command> take_commands(std::vector<Command> spare = {});

  // Views.
  [[nodiscard]] SlotsView slots() const;
  // Why it is neither dialled nor let in now, whatever the slots say; empty where nothing is.
  [[nodiscard]] std::string kept_away_because(const IpAddress& ip, Now now) const;
  [[nodiscard]] SlotCheckView check_slot(const IpAddress& ip, Now now) const;
  [[nodiscard]] std::vector<PeerView> peers(Now now) const;  // whitelisted first, then by address
  [[nodiscard]] Result<PeerDetailView> peer(const IpAddress& ip, Now now) const;
  [[nodiscard]] std::vector<RegistryView> registry(Now now) const;
  [[nodiscard]] MasternodesView masternodes(Now now) const;
  [[nodiscard]] std::vector<IpAddress> masternodes_down() const;  // all, not only the first ten
  [[nodiscard]] std::vector<AilmentView> ailments() const;        // this node's own, now
  [[nodiscard]] ClockView clock() const;                          // as the connected peers see it
  // Of whitelisted peers and of all that have a session: for the history.
  [[nodiscard]] std::vector<PeerReading> readings(Now now) const;
  // Health (requirements Q1); none where nothing was ever noted of it.
  [[nodiscard]] std::optional<ScoreView> score(const IpAddress& ip, Now now) const;
  // Below half of the points: for those who choose among equals (sync sources).
  [[nodiscard]] bool fares_badly(const IpAddress& ip, Now now) const;
  void remember_scores(std::vector<std::pair<IpAddress, ScoreState>> stored);  // before start()
  // Once a minute: what was seen of the peers since the last call becomes evidence.
  void look(Now now);
  // Those that changed since the last call, to be stored.
  [[nodiscard]] std::vector<std::pair<IpAddress, ScoreState>> changed_scores();
  // What only others can tell the score: blocks behind what is believed, and what it does with its
  // chain.
  void on_lag(const IpAddress& ip, std::uint64_t blocks, Now now);
  void on_chain_misconduct(const IpAddress& ip, ChainMisconduct kind, Now now);
  // What is done for this peer; none in passive mode.
  [[nodiscard]] std::optional<LiveProtection> protection(const IpAddress& ip, Now now) const;
  [[nodiscard]] bool connected(const IpAddress& ip) const;  // handshake done, not closing

  void check_invariants() const;  // CHECKs; for tests and simulations

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace timectl
