#pragma once
// The dictionary of ban reasons: the network's nodes store the reason of a ban word for word and
// show it in getbanlist, so it is the best witness of why a peer shuts us out. From the beginning
// of the text to the failure mode it really means.

#include <optional>
#include <span>
#include <string_view>

namespace timectl::diagnose {

struct BanReasonRow {
  std::string_view begins;
  std::string_view code;     // of the catalogue
  std::string_view meaning;  // what it really means: one clause
};
[[nodiscard]] std::span<const BanReasonRow> ban_reason_table();

// The first row whose text begins the reason; null for the free text of a human.
[[nodiscard]] const BanReasonRow* ban_reason_of(std::string_view reason);

}  // namespace timectl::diagnose
