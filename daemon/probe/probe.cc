#include "daemon/probe/probe.h"

#include "daemon/probe/visit.h"

namespace timectl::probe {

using diagnose::LayerFacts;

diagnose::ProbeFacts probe_peer(const ProbeRequest& request, std::function<Now()> now,
                                std::stop_token stop) {
  const Waiter waiter(std::move(now), std::move(stop));
  Visit visit(request, waiter);
  if (visit.connect() && visit.secure() && visit.shake_hands()) visit.talk();
  visit.end();
  return std::move(visit.facts());
}

LayerFacts knock(const ProbeRequest& request, std::function<Now()> now, std::stop_token stop) {
  const Waiter waiter(std::move(now), std::move(stop));
  Visit visit(request, waiter);
  const bool reached = visit.connect() && visit.secure() && visit.shake_hands();
  visit.end();
  const auto& facts = visit.facts();
  if (reached) return *facts.handshake;
  LayerFacts ended = facts.handshake ? *facts.handshake : facts.tls ? *facts.tls : *facts.tcp;
  const char* layer = facts.handshake ? "handshake: " : facts.tls ? "TLS: " : "TCP: ";
  ended.detail = layer + ended.detail;
  return ended;
}

}  // namespace timectl::probe
