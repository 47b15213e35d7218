// World: the node's commands, as the shell carries them out.
#include "tests/sim/world.h"

namespace timectl::sim {

void World::take(std::uint16_t index, After after) {
  Box& box = boxes_[index];
  if (after == After::change) box.node->check_invariants();
  for (;;) {
    std::vector<Command> commands = box.node->take_commands(std::move(box.spare));
    const bool done = commands.empty();
    for (Command& command : commands) {
      std::visit([&](auto& c) { execute(index, c); }, command);
    }
    commands.clear();
    box.spare = std::move(commands);
    if (done) break;
  }
  schedule_tick(index);
}

void World::execute(std::uint16_t index, const Dial& command) {
  const auto& bytes = command.ip.bytes();
  const bool ours = bytes[12] == 64 && bytes[13] == 0;
  if (!ours) {
    dial_stranger(index, command);
    return;
  }
  const std::uint16_t target = index_of(command.ip);
  TIMECTL_CHECK(target < size() && target != index);
  const std::uint32_t wire = new_wire(index, target);
  End& end = wires_[wire].ends[0];
  end.boot = boxes_[index].boot;
  end.id = command.connection;
  end.open = true;
  hold(index, end.id, wire);
  note(target);
  checks_.dialled(now_, index, target);
  if (on_dial) on_dial(index, target);
  arm_deadline(wire, 0, options_.policy.transport.connect_timeout);
  send_syn(wire);
}

void World::execute(std::uint16_t index, const Proceed& command) {
  const std::uint32_t wire = wire_of(index, command.connection);
  if ((wire & kStranger) != 0) return stranger_proceeds(wire & ~kStranger);
  wires_[wire].ends[1].held = false;
  arm_deadline(wire, 1, options_.policy.transport.accept_timeout);
  write(wire, 1, Say::server_hello);
}

void World::execute(std::uint16_t index, const Close& command) {
  const std::uint32_t wire = wire_of(index, command.connection);
  if ((wire & kStranger) != 0) return stranger_closed(wire & ~kStranger, command.reason, {});
  Wire& w = wires_[wire];
  const std::uint8_t side = w.ends[0].node == index ? 0 : 1;
  w.ends[side].closing = command.reason;
  uncount(w, side, command.reason);
  shut(wire, side);
  // close_notify and FIN take the shell a moment, at most close_timeout.
  const auto most = static_cast<std::size_t>(options_.policy.transport.close_timeout.count());
  const Duration in = random_.below(2) == 0 ? Duration::zero() : Duration(random_.below(most));
  push(now_ + in, {.kind = Kind::closed, .side = side, .wire = wire, .life = w.life});
}

void World::execute(std::uint16_t index, const SendPing& command) {
  ++checks_.tally().pings;
  if (on_ping) on_ping(index, command.connection);
  const std::uint32_t wire = wire_of(index, command.connection);
  if ((wire & kStranger) != 0) return stranger_pinged(wire & ~kStranger, command.nonce);
  Wire& w = wires_[wire];
  const std::uint8_t side = w.ends[0].node == index ? 0 : 1;
  if (w.ends[side].phase != Phase::ready) return;
  const Box& box = boxes_[index];
  box.node->on_transport(command.connection, w.flows[side].facts(now_), local(box));
  write(wire, side, Say::ping, command.nonce);
}

void World::execute(std::uint16_t index, const SetUserTimeout& command) {
  const std::uint32_t wire = wire_of(index, command.connection);
  if ((wire & kStranger) != 0) return;
  Wire& w = wires_[wire];
  w.flows[w.ends[0].node == index ? 0 : 1].set_user_timeout(command.timeout);
}

void World::execute(std::uint16_t index, const Ask& command) {
  const std::uint32_t wire = wire_of(index, command.connection);
  if ((wire & kStranger) != 0) return;
  const Wire& w = wires_[wire];
  const std::uint8_t side = w.ends[0].node == index ? 0 : 1;
  if (w.ends[side].phase == Phase::ready) {
    write(wire, side, Say::ask, static_cast<std::uint64_t>(command.question));
  }
}

void World::execute(std::uint16_t index, const Record& command) {
  note(static_cast<std::uint64_t>(command.event.kind) + 200);
  if (on_event) on_event(index, command.event);
}

void World::execute(std::uint16_t index, Remember& command) {
  boxes_[index].store[command.memory.ip] = std::move(command.memory);
}

}  // namespace timectl::sim
