#include "daemon/core/result.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace timectl {

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  throw std::logic_error("value() of a failed Result at " + where.to_string() + ": " +
                         error.message);
}

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "timectl: bug: CHECK(%s) failed at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace timectl
