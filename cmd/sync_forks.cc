// The pages about forks of sync_text.h.

#include <fmt/format.h>

#include <algorithm>

#include "cmd/sync_text.h"
#include "cmd/sync_verdict.h"
#include "cmd/table.h"

namespace timectl::cmd {
namespace {

constexpr std::size_t kNamed = 8;       // addresses of a branch; --json has all of them
constexpr std::size_t kShortHash = 16;  // digits
constexpr std::size_t kMostText = 300;  // bytes of one clause

std::uint64_t length_of(const ForkView& fork, const ForkBranchView& branch) {
  return branch.tip_height > fork.ancestor_height ? branch.tip_height - fork.ancestor_height : 0;
}

std::string hash_of(const ForkBranchView& branch) {
  return branch.tip_hash.empty() ? "-" : printable(branch.tip_hash.substr(0, kShortHash));
}

std::string who(const ForkBranchView& branch) {
  std::string text = branch.ours ? "this node" : "";
  for (std::size_t i = 0; i < std::min(branch.peers.size(), kNamed); ++i) {
    text += (text.empty() ? "" : ", ") + branch.peers[i].to_string();
  }
  if (branch.peers.size() > kNamed) {
    text += fmt::format(" and {} more", grouped(branch.peers.size() - kNamed));
  }
  return text.empty() ? "nobody now" : text;
}

const ForkBranchView* ours_of(const ForkView& fork) {
  const auto at = std::ranges::find_if(fork.branches, &ForkBranchView::ours);
  return at == fork.branches.end() ? nullptr : &*at;
}

// The branch that would take the place of ours: the majority's, else the one with the most
// masternodes.
const ForkBranchView* rival_of(const ForkView& fork) {
  const ForkBranchView* rival = nullptr;
  for (const auto& branch : fork.branches) {
    if (branch.ours) continue;
    if (branch.majority) return &branch;
    if (rival == nullptr || branch.masternodes > rival->masternodes) rival = &branch;
  }
  return rival;
}

// A branch is a field and not a row of a table: who is on it is the point, and would be cut.
std::string branches_text(const Output& out, const ForkView& fork) {
  std::vector<Field> fields;
  for (const auto& branch : fork.branches) {
    fields.push_back(
        {branch.ours ? "  ours" : "  other",
         fmt::format("{} to height {}, {}{}\ntip {}; {}", counted(length_of(fork, branch), "block"),
                     short_height(branch.tip_height), counted(branch.masternodes, "masternode"),
                     branch.majority ? " (the majority)" : "", hash_of(branch), who(branch))});
  }
  return fields_text(out, fields);
}

// Of one that waits for the operator: what exactly would be done, and the command that does it.
std::string consent_text(const Output& out, const ForkView& fork) {
  const auto* ours = ours_of(fork);
  const auto* rival = rival_of(fork);
  std::string text = "Needs your word";
  if (!fork.needs_because.empty()) text += ": " + printable(fork.needs_because, kMostText);
  if (ours != nullptr && rival != nullptr) {
    text += fmt::format(
        ". Taking the other branch replaces {} of ours above height {} by {}; what is replaced is "
        "kept for inspection",
        counted(length_of(fork, *ours), "block"), grouped(fork.ancestor_height),
        counted(length_of(fork, *rival), "block"));
  }
  return "  " + wrapped(text + ". If that is what you want:", 2, out.width()) + "\n    " +
         out.paint(Paint::bold, "timectl sync fork --accept") + "\n";
}

// What an open one means, and that nothing is to be done.
std::string advice(const Output& out, const ForkView& fork) {
  if (fork.needs_consent) return consent_text(out, fork);
  const auto* ours = ours_of(fork);
  const auto* rival = rival_of(fork);
  std::string_view text =
      "No branch has more than half of the masternodes that answered: ours is kept until another "
      "one is believed.";
  if (ours != nullptr && ours->majority) {
    text = "Most masternodes that answered are on our branch: nothing is to be done.";
  } else if (rival != nullptr && rival->majority) {
    text =
        "Most masternodes that answered are on the other branch. It is fetched and verified, then "
        "it replaces ours by itself; what is replaced is kept.";
  }
  return "  " + wrapped(text, 2, out.width()) + "\n";
}

std::string fork_text(const Output& out, const ForkView& fork) {
  const bool open = !fork.resolved_at;
  std::string title = fmt::format("fork above height {}", grouped(fork.ancestor_height));
  std::string text = out.paint(open ? Paint::warn : Paint::dim, open ? "open" : "resolved") + "  " +
                     out.paint(Paint::bold, title);
  text += open ? fmt::format(", seen {} ago", out.since(fork.seen_at))
               : fmt::format(", {} ago", out.since(*fork.resolved_at));
  text += "\n";
  if (!open && !fork.resolution.empty()) {
    text += "  " + wrapped(printable(fork.resolution, kMostText), 2, out.width()) + "\n";
  }
  text += branches_text(out, fork);
  return open ? text + advice(out, fork) : text;
}

}  // namespace

std::string forks_page(const Output& out, const std::vector<ForkView>& forks, bool live) {
  if (forks.empty()) {
    return live ? "no fork is known: whoever answered is on our chain\n" : "no fork is recorded\n";
  }
  const auto open = static_cast<std::uint64_t>(
      std::ranges::count_if(forks, [](const ForkView& fork) { return !fork.resolved_at; }));
  const auto waiting = static_cast<std::uint64_t>(std::ranges::count_if(
      forks, [](const ForkView& fork) { return !fork.resolved_at && fork.needs_consent; }));
  std::string text = open == 0 ? "no fork is open"
                               : counted(open, "fork") + (open == 1 ? " is open" : " are open");
  text = out.paint(open == 0 ? Paint::good : Paint::warn, text);
  if (waiting > 0) text += waiting == 1 ? "; one needs your word" : "; some need your word";
  text += "\n";
  for (const bool wanted : {true, false}) {
    for (const auto& fork : forks) {
      if (!fork.resolved_at == wanted) text += "\n" + fork_text(out, fork);
    }
  }
  return text;
}

std::string accepted_page(const Output& out, const ForkView& fork) {
  const auto* ours = ours_of(fork);
  const auto* rival = rival_of(fork);
  std::string text = fmt::format("accepted: above height {}", grouped(fork.ancestor_height));
  if (ours != nullptr) text += fmt::format(" our {}", counted(length_of(fork, *ours), "block"));
  if (rival != nullptr) {
    text += fmt::format(" give way to the {} of the branch that ends at height {} with {}",
                        counted(length_of(fork, *rival), "block"), grouped(rival->tip_height),
                        hash_of(*rival));
    text += fmt::format(" ({})", who(*rival));
  }
  text = wrapped(text, 2, out.width()) + "\n";
  text += "  " +
          wrapped(
              "That branch is fetched and verified first, and a block that is not valid "
              "stops it. What is replaced is kept for inspection.",
              2, out.width()) +
          "\n";
  return text + next_line(out, "timectl sync watch");
}

}  // namespace timectl::cmd
