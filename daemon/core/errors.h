#pragma once
// The catalogue of error codes: one row per Code with its public id, exit status and what it
// means. cmd maps errors to exit statuses by it, `timectl explain` prints it.

#include <span>
#include <string_view>

#include "daemon/core/result.h"

namespace timectl {

struct ErrorRow {
  Code code;
  std::string_view id;      // TC-..., never renamed
  int exit_status;          // sysexits-like, see cli.md
  std::string_view title;   // one line
  std::string_view remedy;  // what usually helps
};

[[nodiscard]] std::span<const ErrorRow> error_table();
[[nodiscard]] const ErrorRow& error_row(Code code);

}  // namespace timectl
