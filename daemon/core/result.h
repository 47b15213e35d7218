#pragma once
// Expected failures: what went wrong, to what, why, and what to do. Every layer returns
// Result<T> for them; error_table() (errors.h) maps each code to its TC id and exit status.
// The environment (SQLite, TLS, files) throws instead; a bug is CHECK.

#include <boost/describe/enum.hpp>
#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace timectl {

// Keep the code first in Error: an Error that begins with an int-like field makes Result<int>
// ambiguous on this tool chain.
enum class Code : std::uint8_t {
  invalid_argument,
  not_an_address,
  unknown_command,
  unknown_peer,
  ambiguous_peer,
  unknown_code,
  blacklisted,
  whitelist_full,
  config_holds,
  not_found,
  node_not_running,
  node_already_running,
  port_in_use,
  passive_mode,
  cannot_create,
  database_locked,
  database_damaged,
  database_newer,
  database_full,
  database_unwritable,
  config_invalid,
  config_insecure,
  access_denied,
  protocol_mismatch,
  timed_out,
  too_large,
  busy,
  connection_lost,
  bad_data,
  bad_frame,
  audit_broken,
  input_output,
  interrupted,
  internal,
  whitelisted,
  ban_list_full,
  list_refused,
  banned,
};
BOOST_DESCRIBE_ENUM(Code, invalid_argument, not_an_address, unknown_command, unknown_peer,
                    ambiguous_peer, unknown_code, blacklisted, whitelist_full, config_holds,
                    not_found, node_not_running, node_already_running, port_in_use, passive_mode,
                    cannot_create, database_locked, database_damaged, database_newer, database_full,
                    database_unwritable, config_invalid, config_insecure, access_denied,
                    protocol_mismatch, timed_out, too_large, busy, connection_lost, bad_data,
                    bad_frame, audit_broken, input_output, interrupted, internal, whitelisted,
                    ban_list_full, list_refused, banned)

struct Error {
  Code code = Code::internal;
  std::string message;                   // what happened, to what
  std::string because = {};              // why; empty where the message says it
  std::vector<std::string> remedy = {};  // commands or steps to try, the likeliest first
};

template <class T>
using Result = boost::system::result<T, Error>;

// boost::system::result::value() on an error calls this; own code checks first, so it is a bug.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace timectl

// A broken promise of our own code: ends the process, in release builds too.
#define TIMECTL_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::timectl::check_failed(#expression, __FILE__, __LINE__))
