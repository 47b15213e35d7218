#include "cmd/cli.h"
#include "cmd/commands.h"
#include "cmd/tree.h"
#include "daemon/control/api.h"

namespace timectl::cmd {
namespace {

struct VersionReply {
  std::string version = TIMECTL_VERSION;
  std::uint32_t control_api = control::kApiVersion;
};
BOOST_DESCRIBE_STRUCT(VersionReply, (), (version, control_api))

}  // namespace

Result<int> print_version(Output& out) {
  if (out.json()) {
    out.document("timectl.version/1", to_json(VersionReply{}));
  } else {
    out.text("timectl " TIMECTL_VERSION "\n");
  }
  return 0;
}

void add_version(CLI::App& root, Context& context) {
  auto& version = add_command(root, "version", "the version of this program",
                              {{"version", "for people"}, {"version --json", "for programs"}});
  on_run(version, context, [&context] { return print_version(context.out); });
}

}  // namespace timectl::cmd
