// Any text given as facts (`timectl diagnose facts -`): it is refused with a printable reason, or
// read, written and read again as the same, and judged: whatever the facts say, a confidence is
// one, evidence can be shown, and a verdict is never a mere remark.
#include <string>
#include <string_view>

#include "daemon/core/events.h"
#include "daemon/diagnose/reply.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::diagnose {

using timectl::fuzz::require;

namespace {

void check_diagnosis(const DiagnosisReply& reply) {
  require(reply.confidence >= 0 && reply.confidence <= 1, "a confidence is 0 to 1");
  require(!reply.verdict.empty(), "there is a verdict");
  for (const auto& finding : reply.findings) {
    require(finding.confidence > 0 && finding.confidence <= 1, "each is surer than nothing");
    require(!finding.title.empty() && !finding.evidence.empty(), "each has its evidence");
    for (const auto& line : finding.evidence) {
      require(printable(line, line.size() + 1) == line, "evidence can be shown");
    }
    require(!finding.remark || finding.code != reply.code, "a remark is no verdict");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto facts = facts_from_json(text);
  if (!facts) {
    const auto& message = facts.error().message;
    require(printable(message, message.size() + 1) == message, "a refusal is one line");
    return 0;
  }
  const auto written = facts_to_json(*facts);
  const auto again = facts_from_json(written);
  require(again && facts_to_json(*again) == written, "what is written reads as the same");
  if (facts->peer) check_diagnosis(make_peer_reply(*facts));
  check_diagnosis(make_node_reply(*facts));
  return 0;
}

}  // namespace timectl::diagnose
