#pragma once
// World: N nodes of the core, whole processes on whole hosts, on a virtual network with virtual
// time. Each has its own drifting clock, its store that outlives the process, a shell that does
// what daemon/net does, and TCP (TcpFlow) to the others. All are masternodes to each other.
//
// The world is deterministic: the same schedule gives the same trace(), bit by bit. It throws
// Violation at the first event after which a promise of architecture.md does not hold; checks.h
// says which are looked at.

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "daemon/core/node.h"
#include "daemon/core/random.h"
#include "tests/sim/checks.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/fault.h"
#include "tests/sim/tcp_flow.h"

namespace timectl::sim {

struct WorldOptions {
  std::uint16_t nodes = 20;
  std::uint64_t seed = 1;
  Policy policy = {};
  Duration latency = std::chrono::milliseconds(40);  // one way, the mean over the pairs
  Duration jitter = std::chrono::milliseconds(10);   // and up to so much more
  bool expect_heal = true;  // check that everybody finds everybody once the faults are over
};

class World {
 public:
  explicit World(const WorldOptions& options);
  explicit World(const Schedule& schedule, const Policy& policy = {});

  void start_all();                // all processes at once
  void start(std::uint16_t node);  // boots the host, too
  void kill(std::uint16_t node);   // SIGKILL: the kernel sends FIN
  void power_cut(std::uint16_t node);
  void add(const Fault& fault);                    // `at` counts from the beginning of the world
  void begin(const Fault& fault, Duration lasts);  // now
  void run(Duration d);

  [[nodiscard]] Duration now() const { return now_; }
  [[nodiscard]] std::uint16_t size() const { return static_cast<std::uint16_t>(boxes_.size()); }
  [[nodiscard]] bool running(std::uint16_t node) const { return boxes_[node].node != nullptr; }
  [[nodiscard]] bool connected(std::uint16_t a, std::uint16_t b) const;  // as both see it
  [[nodiscard]] std::size_t missing_pairs() const;  // of running nodes, without a session
  [[nodiscard]] std::uint64_t trace() const { return trace_; }
  [[nodiscard]] const Tally& tally() const { return checks_.tally(); }
  [[nodiscard]] const Node& node(std::uint16_t index) const { return *boxes_[index].node; }
  [[nodiscard]] Now local_time(std::uint16_t node) const { return local(boxes_[node]); }
  [[nodiscard]] static IpAddress address(std::uint16_t node);
  [[nodiscard]] static std::uint16_t index_of(const IpAddress& ip);  // of an address() only
  // Tests look at what nodes say and do.
  std::function<void(std::uint16_t node, const Event& event)> on_event;
  std::function<void(std::uint16_t node, std::uint16_t target)> on_dial;
  std::function<void(std::uint16_t node, ConnectionId connection)> on_ping;

 private:
  enum class Kind : std::uint8_t {
    tick,
    syn,        // arrives at the host that is dialled
    syn_ack,    // arrives at the dialer
    syn_again,  // its retransmission is due
    reset,      // RST arrives at end `side`
    segment,    // of flow `side` arrives
    ack,        // for flow `side` arrives, bare
    timer,      // of flow `side`
    app,        // the process at end `side` gets to a message
    deadline,   // of the shell's phases
    closed,     // the shell has finished a Close
    fault_begins,
    fault_ends,
    fault_step,
    wake,
    look,  // the periodic look at all pairs
    stranger,
  };
  struct Happening {
    Kind kind = Kind::tick;
    std::uint8_t side = 0;
    std::uint16_t node = 0;
    std::uint32_t wire = 0;
    std::uint32_t life = 0;  // of the wire, or the boot of the node
    Segment segment = {};
    Message message = {};
  };
  // What the shell's messages are.
  enum class Say : std::uint8_t {
    connected,  // these three by the kernel
    dead,
    reset,
    client_hello,
    server_hello,
    handshake,
    ack,
    ping,
    pong,
    ask,
    answer,
    fin,
  };
  enum class Phase : std::uint8_t { connecting, tls, handshaking, ready, closed, gone };
  struct End {
    std::uint16_t node = 0;
    std::uint32_t boot = 0;  // which life of the process
    ConnectionId id = {};
    Phase phase = Phase::connecting;
    bool open = false;     // the process has it
    bool held = false;     // waits for Proceed
    bool counted = false;  // as a session
    EndReason closing = EndReason::shutdown;
  };
  struct Wire {
    std::array<End, 2> ends;       // the dialer first
    std::array<TcpFlow, 2> flows;  // by sender
    std::uint32_t life = 0;
    std::uint8_t syns = 0;
    bool used = false;
    bool established = false;  // the dialer has its SYN answered
  };
  struct Path {
    Duration latency = {};
    Duration jitter = {};
    double loss = 0;
    bool cut = false;
  };
  struct Box {
    std::unique_ptr<Whitelist> list;
    std::unique_ptr<Node> node;
    std::map<IpAddress, PeerMemory> store;
    std::vector<std::pair<ConnectionId, std::uint32_t>> wires;  // by id, ascending
    std::vector<Happening> backlog;                             // while it sleeps
    std::vector<Command> spare;                                 // the buffer that goes round
    std::uint32_t boot = 0;
    std::vector<std::uint32_t> sleepers;  // the faults that have it stopped
    std::uint16_t down = 0;               // kill and power faults that hold it
    std::uint16_t mute = 0;               // faults by which it answers no ping
    bool powered = true;
    Duration service = {};  // for each message
    Duration busy_until = {};
    Duration tick_at = TcpFlow::kNever;
    Duration mono_offset = {};
    Duration wall_offset = {};
    double drift = 0;
  };

  // --- time and the run (world.cc)
  [[nodiscard]] Now local(const Box& box) const;
  [[nodiscard]] Duration when(const Box& box, Instant mono) const;
  void push(Duration at, const Happening& h) { queue_.push(at, h); }
  void handle(const Happening& h);
  void boot(std::uint16_t node);
  void drop_process(std::uint16_t node);
  void schedule_tick(std::uint16_t node);
  void tick(const Happening& h);
  void wake(std::uint16_t node);
  void note(std::uint64_t value);
  void look();
  [[nodiscard]] std::string seen_by(std::uint16_t a, std::uint16_t b) const;

  // --- faults (world_faults.cc)
  void fault_begins(std::size_t index);
  void fault_ends(std::size_t index);
  void fault_step(std::size_t index);
  void refresh_paths();
  void trouble(const Fault& fault, bool begins);

  // --- TCP (world_tcp.cc)
  [[nodiscard]] Path& path(std::uint16_t from, std::uint16_t to) {
    return paths_[std::size_t{from} * boxes_.size() + to];
  }
  [[nodiscard]] Duration delay(const Path& p);
  [[nodiscard]] bool passes(const Path& p);
  [[nodiscard]] Wire* find(std::uint32_t wire, std::uint32_t life);
  std::uint32_t new_wire(std::uint16_t from, std::uint16_t to);
  void free_wire(std::uint32_t wire);
  void release(std::uint32_t wire);  // frees it where no process has it
  void send_syn(std::uint32_t wire);
  void syn(const Happening& h);
  void syn_ack(const Happening& h);
  void write(std::uint32_t wire, std::uint8_t side, Say say, std::uint64_t nonce = 0);
  void transmit(std::uint32_t wire, std::uint8_t side, Segment segment);
  void lost(std::uint32_t wire);
  void segment(const Happening& h);
  void bare_ack(std::uint32_t wire, std::uint8_t flow, bool duplicate, bool at_once);
  void ack(const Happening& h);
  void timer(const Happening& h);
  void send_reset(std::uint32_t wire, std::uint8_t to);

  // --- the shell (world_shell.cc)
  void deliver(std::uint32_t wire, std::uint8_t side, const Message& message);
  void app(const Happening& h);
  void inbound(std::uint32_t wire, Wire& w);
  void ready(std::uint32_t wire, std::uint8_t side);
  void ended(std::uint32_t wire, std::uint8_t side, EndReason reason);
  void shell_closes(std::uint32_t wire, std::uint8_t side, EndReason reason);
  void uncount(const Wire& w, std::uint8_t side, EndReason reason);
  void shut(std::uint32_t wire, std::uint8_t side);
  void closed(const Happening& h);
  void deadline(const Happening& h);
  void arm_deadline(std::uint32_t wire, std::uint8_t side, Duration in);
  void answer(std::uint32_t wire, std::uint8_t side, std::uint64_t question);
  enum class After : std::uint8_t { talk, change };  // of connections: then all is checked
  void take(std::uint16_t node, After after);
  void execute(std::uint16_t node, const Dial& command);
  void execute(std::uint16_t node, const Proceed& command);
  void execute(std::uint16_t node, const Close& command);
  void execute(std::uint16_t node, const SendPing& command);
  void execute(std::uint16_t node, const Ask& command);
  void execute(std::uint16_t node, const Record& command);
  void execute(std::uint16_t, const RecordSession&) {}
  void execute(std::uint16_t node, Remember& command);
  void execute(std::uint16_t node, const SetUserTimeout& command);
  [[nodiscard]] std::uint32_t wire_of(std::uint16_t node, ConnectionId id) const;
  void hold(std::uint16_t node, ConnectionId id, std::uint32_t wire);
  void forget(std::uint16_t node, ConnectionId id);

  // --- strangers (world_strangers.cc)
  enum Behaviour : std::uint8_t;
  struct Stranger {
    IpAddress ip = {};
    ConnectionId id = {};
    std::uint32_t life = 0;
    std::uint32_t boot = 0;
    std::uint16_t node = 0;
    Behaviour behaviour = {};
    bool used = false;
    bool held = false;
    bool ready = false;
    bool dialled = false;
  };
  static constexpr std::uint32_t kStranger = 1U << 31U;  // marks its index among the wires
  std::uint32_t new_stranger(std::uint16_t node, ConnectionId id, const IpAddress& ip,
                             Behaviour behaviour);
  void stranger(const Happening& h);
  void stranger_acts(std::uint32_t index);
  void stranger_later(std::uint32_t index, Duration in, std::uint8_t step, std::uint64_t nonce);
  void stranger_connects(std::uint16_t target, Behaviour behaviour, const IpAddress& from);
  void dial_stranger(std::uint16_t node, const Dial& command);
  void stranger_proceeds(std::uint32_t index);
  void stranger_pinged(std::uint32_t index, std::uint64_t nonce);
  void stranger_closed(std::uint32_t index, EndReason reason, Duration in);
  void flood_once(const Fault& fault);
  [[nodiscard]] After a_stranger_checks();

  WorldOptions options_;
  Random random_;
  Duration now_ = {};
  std::vector<Box> boxes_;
  std::vector<Path> paths_;
  std::vector<Path> quiet_paths_;
  std::deque<Wire> wires_;  // references stay while new ones are made
  std::vector<std::uint32_t> free_wires_;
  std::vector<Stranger> strangers_;
  std::vector<std::uint32_t> free_strangers_;
  std::vector<Fault> faults_;
  std::vector<bool> active_;
  EventQueue<Happening> queue_;
  Checks checks_;
  std::uint64_t trace_ = 0xcbf29ce484222325U;
};

}  // namespace timectl::sim
