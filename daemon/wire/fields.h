// The JSON form of a message's fields, as the golden vectors and `timectl wire` have it: members in
// wire order; 8 to 32-bit integers are numbers, 64 and 128-bit ones decimal strings, byte strings
// and arrays lower-case hex; a missing option is null; an enum value is its name, or {"Name":
// {...}} when it has fields; tuple variants use the keys "0", "1"; tuples are arrays.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/system/result.hpp>
#include <string>
#include <string_view>

#include "daemon/wire/arena.h"
#include "daemon/wire/messages.h"

namespace timectl::wire {

struct FieldsError {
  std::string path;     // "fields.0[2].header.height"
  std::string problem;  // "wants a decimal string or an integer from 0 to ..."
};

[[nodiscard]] boost::json::object to_fields(const Message& message);

// The inverse, for any JSON: every member must be there, no other may be; public keys must be
// points. The message borrows `arena`, which is emptied first and bounds the memory taken (64 MiB).
// `variant` is a message's name.
[[nodiscard]] boost::system::result<Message, FieldsError> from_fields(
    std::string_view variant, const boost::json::value& fields, Arena& arena);

[[noreturn]] void throw_exception_from_error(const FieldsError& error,
                                             const boost::source_location& where);

}  // namespace timectl::wire
