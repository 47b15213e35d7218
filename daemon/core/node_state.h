#pragma once
// The inside of Node: its data and the steps that several of its calls share. Only node*.cc
// include this. Vocabulary: a *link* is what joins us with one address: its main connection, and
// at most one contender that may take its place (S4). A connection that is being closed is in no
// link; it only waits for its on_closed.

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/core/admission.h"
#include "daemon/core/bans.h"
#include "daemon/core/due_queue.h"
#include "daemon/core/liveness.h"
#include "daemon/core/node.h"
#include "daemon/core/observer.h"
#include "daemon/core/path_quality.h"
#include "daemon/core/random.h"
#include "daemon/core/rate_limit.h"
#include "daemon/core/reconnect.h"
#include "daemon/core/registry.h"
#include "daemon/core/score.h"
#include "daemon/core/slot_counts.h"

namespace timectl {

enum class Stage : std::uint8_t { held, connecting, tls, handshaking, ready, closing };

struct Connection {
  ConnectionId id = {};
  IpAddress ip = {};
  Direction direction = Direction::in;
  Stage stage = Stage::connecting;
  Instant opened = {};
  std::optional<Liveness> liveness = {};  // from ready on
  WallTime ready_at = {};
  Traffic traffic = {};                         // sums
  std::optional<std::uint32_t> as_number = {};  // looked up when it was dialled
  std::optional<std::uint64_t> height = {};
  std::optional<std::uint32_t> commit_count = {};
  std::optional<Instant> hold_until = {};        // held: while the old connection is probed
  std::optional<Instant> probed_at = {};         // because of a second connection (S4)
  EndReason close_reason = EndReason::shutdown;  // closing: what we said
  std::string close_detail = {};
  bool said_suspect = false;  // events already made, to make each once
  bool said_degraded = false;
  bool said_lossy = false;
  PathQuality path = {};  // copied to and from its Peer, so that it outlives the session
  std::optional<TransportFacts> transport = {};
  std::uint64_t received_when_fine = 0;  // segments, when it owed us no acknowledgement
  Silence silence = Silence::none;       // as judged from them
  Duration user_timeout = {};            // as the socket has it
  std::uint64_t unknown_pongs = 0;       // in a row
  std::uint64_t undecodable_judged = 0;  // bursts that were counted as violations
  std::uint64_t looked_sent = 0;         // of the liveness, at the last look
  std::uint64_t looked_missed = 0;
  std::optional<double> clock_seconds = {};  // its clock less ours
  std::optional<Instant> warned_at = {};     // it said that our port does not answer

  [[nodiscard]] bool was_ready() const { return liveness.has_value(); }
};

struct Link {
  ConnectionId main = {};
  std::optional<ConnectionId> contender = {};
};

// What was said of the protection of a peer: for its events only.
enum class Shield : std::uint8_t { none, up, lost };

struct Peer {
  Reconnect reconnect = {};
  PathQuality path = {};
  bool candidate = false;  // may be dialled as a regular peer
  bool masternode_claimed = false;
  Shield shield = Shield::none;
  bool announced_as_masternode = false;  // for the promoted and demoted events only
  std::optional<WallTime> last_connected_at = {};
  std::optional<WallTime> last_dialed_us_at = {};
  std::optional<WallTime> last_heard_at = {};
  std::string last_text = {};
};

struct Node::State {
  State(NodeOptions node_options, const Whitelist& list, Bans* given);

  NodeOptions options;
  const Whitelist& whitelist;
  Bans own_bans;  // of a node that was given none
  Bans& bans;
  Random random;
  bool started = false;
  bool stopping = false;
  bool none_connected = false;  // no_masternode_connected was said
  std::uint64_t last_id = 0;
  std::map<ConnectionId, Connection> connections;
  std::map<IpAddress, Link> links;
  SlotCounts counts;                // of the links
  std::map<IpAddress, Peer> peers;  // whitelisted ones, and known_peers others
  Registry registry;
  BucketTable ip_rates;
  BucketTable subnet_rates;
  TokenBucket masternode_dials;
  TokenBucket regular_dials;
  TokenBucket rejection_events;
  Observer observer;
  Instant last_fact = {};  // when the last one came
  bool awake_once = false;
  DueQueue<ConnectionId> checks;
  DueQueue<IpAddress> masternode_due;
  DueQueue<IpAddress> regular_due;
  bool masternodes_blocked = false;  // due, but the dial budget (R7) is used up
  bool regular_blocked = false;
  std::optional<Instant> budget_at = {};  // when the dial rate allows the next
  Instant next_pass = {};
  std::vector<PeerMemory> remembered;  // between remember() and start()
  std::vector<Command> commands;
  std::map<IpAddress, Score> scores;  // at most ScorePolicy::max_scores
  std::set<IpAddress> changed_scores;
  HeldEvidence held_evidence;
  std::optional<Instant> looked_at = {};
  // By somebody else, now; when its dial was due.
  std::map<IpAddress, std::optional<Instant>> probing;
  std::map<IpAddress, std::deque<Instant>> probes = {};  // of the last hour

  // --- facts (node.cc)
  [[nodiscard]] const Policy& policy() const { return options.policy; }
  [[nodiscard]] bool is_masternode(const IpAddress& ip) const { return whitelist.contains(ip); }
  [[nodiscard]] bool is_own(const IpAddress& ip) const { return options.own_address == ip; }
  [[nodiscard]] bool is_blacklisted(const IpAddress& ip) const {
    return whitelist.blacklist().contains(ip);
  }
  [[nodiscard]] LivenessRules rules_for(const Connection& c, Instant now) const;
  [[nodiscard]] Instant next_due() const;  // the earliest work; max() where there is none
  [[nodiscard]] Connection* find(ConnectionId id);
  [[nodiscard]] const Connection* main_of(const IpAddress& ip) const;
  [[nodiscard]] bool ready(const IpAddress& ip) const;
  [[nodiscard]] std::optional<Holding> holding_of(const IpAddress& ip) const;
  [[nodiscard]] std::vector<EvictionCandidate> eviction_candidates(Now now) const;
  [[nodiscard]] AdmissionDecision place(const IpAddress& ip, Direction direction,
                                        std::optional<ConnectionId> except, bool limits_apply,
                                        Now now) const;
  Peer* ensure_peer(const IpAddress& ip);  // none where the table is full

  // --- effects (node.cc)
  Event event(EventKind kind, Severity severity, const IpAddress& ip, Now now) const;
  void record(Event e) { commands.emplace_back(Record{std::move(e)}); }
  void recount(const IpAddress& ip);  // after each step that changes its link, stage or trust
  void remember(const IpAddress& ip, Now now);
  void ping(Connection& c, bool on_cadence, Instant now);
  void check(Connection& c, Now now);
  [[nodiscard]] std::string evidence_of(const Connection& c, Now now) const;  // of its silence
  void set_check(Connection& c, Instant now);
  void note_masternode_count(Now now, const std::optional<IpAddress>& connected);

  // --- health (node_health.cc)
  void awake(Now now);          // first of all, at each fact
  void outside_heard(Now now);  // something came in: the uplink works
  void note_silence(Now now);   // one more masternode is suspect
  void note_health(Now now);    // says what the observer has found
  // --- protection (node_protection.cc)
  [[nodiscard]] std::string unprotected_because(const IpAddress& ip) const;  // empty: it is
  void note_protection(const IpAddress& ip, Now now);  // says that it was lost or is back
  void note_all_protections(Now now);
  void note_immunity(BanImmunity before, Now now);

  // --- scores (node_scores.cc)
  void note(const IpAddress& ip, const ScoreEvidence& evidence);
  void settle_evidence(Now now);
  [[nodiscard]] double score_of(const IpAddress& ip, Now now) const;  // neutral where unknown
  [[nodiscard]] int score_step(const IpAddress& ip, Now now) const;   // 0 to 10
  // --- bans (node_bans.cc)
  [[nodiscard]] Standing standing(const IpAddress& ip) const;
  [[nodiscard]] const Ban* banned(const IpAddress& ip) const;  // by hand or automatically, now
  void violation(const IpAddress& ip, ViolationKind kind, const std::string& detail, Connection* by,
                 Now now);
  void judge_end(const Connection& c, EndReason reason, const std::string& detail, Now now);
  void judge_knock(const IpAddress& ip, Now now);
  void judge_frames(Connection& c, Now now);
  void judge_pong(Connection& c, bool known, Now now);
  bool enforce_ban(const IpAddress& ip, Now now);
  void enforce_bans(Now now);
  enum class EndOfBan : std::uint8_t { expired, lifted };
  void ban_over(const Ban& ban, EndOfBan how, Now now);
  void expire_bans(Now now);

  // --- connections (node_connections.cc, node_endings.cc)
  void close(Connection& c, EndReason reason, std::string detail, Now now);
  void close_link(const IpAddress& ip, EndReason reason, const std::string& detail, Now now);
  void unlink(const Connection& c, Now now);
  void proceed(Connection& c, Now now);
  void heard(Connection& c, Now now);
  void record_inbound(const Connection& c, Now now);
  Admission reject(EndReason reason, std::string detail, const IpAddress& ip, Now now);
  Admission second_connection(ConnectionId id, const IpAddress& remote, const IpAddress& local,
                              Now now);
  Admission accept(ConnectionId id, const IpAddress& remote, bool limits_apply, Now now);
  Connection& add(ConnectionId id, const IpAddress& ip, Direction direction, Stage stage, Now now);
  void evict(std::uint64_t id, const IpAddress& for_whom, Now now);
  void enforce_slots(Now now);
  void session_over(const Connection& c, EndReason reason, const std::string& detail, Now now);

  // --- dials (node_dial.cc)
  [[nodiscard]] bool dialable(const IpAddress& ip) const;   // ever, as things stand
  [[nodiscard]] bool plausible(const IpAddress& ip) const;  // a learned address worth a dial
  [[nodiscard]] TargetFacts facts_of(const IpAddress& ip, Now now) const;
  void attempt_over(const Connection& c, EndReason reason, const std::string& detail, Now now);
  void queue(const IpAddress& ip, Instant now);      // puts it where its Reconnect says
  void dial_soon(const IpAddress& ip, Instant now);  // at once, but for hard rows
  // Of options.as_number; none where there is no database.
  [[nodiscard]] std::optional<std::uint32_t> as_of(const IpAddress& ip) const;
  // The regular candidate to dial next (R6), of those that are due.
  [[nodiscard]] std::optional<IpAddress> best_candidate(Now now) const;
  struct Budget {  // R7, of one kind of target
    TokenBucket& bucket;
    Rate rate;
    std::size_t at_once;
  };
  [[nodiscard]] bool may_dial(Trust trust, const Budget& budget, Now now);
  void try_dial(const IpAddress& ip, Trust trust, const Budget& budget, Now now);
  void pump(Now now);  // starts what is due, within R7
  void dial(const IpAddress& ip, Peer& peer, Now now);
  void pass(Now now);
  void learn(const IpAddress& ip, bool claimed_masternode, Now now);
};

}  // namespace timectl
