#pragma once
// The files of config/prometheus and config/grafana, for the tests that hold them against the
// tables of metrics and of alert rules.

#include <set>
#include <string>

namespace timectl::monitoring {

// Under the root of the sources; a file that cannot be read fails the test.
[[nodiscard]] std::string read_source(const std::string& path);
// What stands between `# table: begin` and `# table: end`. With TIMECTL_REWRITE_GOLDEN set the file
// is made to have `wanted` there.
[[nodiscard]] std::string table_part(const std::string& path, const std::string& wanted);
// Names of series in an expression or a whole file of them: timectl_..., process_..., timectl:...
[[nodiscard]] std::set<std::string> names_in(const std::string& text);
// All that may stand there: the table of metrics, and what the rules record.
[[nodiscard]] std::set<std::string> known_names();

}  // namespace timectl::monitoring
