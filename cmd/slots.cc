#include <fmt/format.h>

#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/api.h"

namespace timectl::cmd {
namespace {

// "12 of 125  ##--------", the bar for the eye only.
std::string usage(std::uint64_t used, std::uint64_t of) {
  constexpr std::uint64_t kWidth = 30;
  const auto filled = of == 0 ? 0 : std::min(kWidth, (used * kWidth + of - 1) / of);
  return fmt::format("{:>3} of {:<4} {}{}", used, of, std::string(filled, '#'),
                     std::string(kWidth - filled, '.'));
}

std::string slots_text(const Output& out, const SlotsView& slots) {
  return fields_text(out, {{"All", usage(slots.total, slots.total_max)},
                           {"Regular", usage(slots.regular, slots.regular_max)},
                           {"Masternode", fmt::format("{:>3}, with {} slots that only they may use",
                                                      slots.masternode, slots.masternode_reserved)},
                           {"Inbound", fmt::format("{:>3}", slots.inbound)},
                           {"Outbound", fmt::format("{:>3}", slots.outbound)}});
}

std::string check_text(const Output& out, const SlotCheckView& check) {
  std::string text = fmt::format(
      "{}  {}: {}\n", check.ip.to_string(),
      check.accept ? out.paint(Paint::good, "accepted") : out.paint(Paint::bad, "refused"),
      printable(check.reason));
  if (check.would_evict) {
    text += "  in the place of " + check.would_evict->to_string() + "\n";
  }
  return text;
}

}  // namespace

void add_slots(CLI::App& root, Context& context) {
  auto& slots = add_command(root, "slots", "how many connection slots are used, and by whom",
                            {{"slots", "usage against the limits"},
                             {"slots check 203.0.113.7", "would it be accepted now, and why"}});
  on_run(slots, context, [&context]() -> Result<int> {
    const auto answer = ask(context, "slots.show", json::object());
    if (!answer) return answer.error();
    return show<SlotsView>(context, "timectl.slots/1", *answer, [&](const SlotsView& view) {
      context.out.text(slots_text(context.out, view));
    });
  });

  auto& check = add_command(slots, "check", "would this address be accepted now, and why",
                            {{"slots check 203.0.113.7", "as an inbound connection"}});
  auto named = std::make_shared<control::PeerRequest>();
  add_argument(check, "ip", Count::one, named->peer, "IP", "an address or a label");
  on_run(check, context, [&context, named]() -> Result<int> {
    const auto answer = ask(context, "slots.check", *named);
    if (!answer) return answer.error();
    return show<SlotCheckView>(context, "timectl.slots.check/1", *answer, [&](const auto& view) {
      context.out.text(check_text(context.out, view));
    });
  });
}

}  // namespace timectl::cmd
