// network.as_database in a real node: what the log says of it, and that no file of it stops one.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/sandbox.h"
#include "tests/support/mmdb_file.h"

namespace timectl::e2e {
namespace {

bool said(const NodeProcess& node, const std::string& text) {
  return wait_for([&] { return node.log().find(text) != std::string::npos; }, milliseconds(5000));
}

TEST(AsDatabaseOfANode, AMissingOneIsAWarningAndAReloadTakesTheOneThatIsThereThen) {
  Sandbox sandbox;
  const std::string path = sandbox.path() + "/as.mmdb";
  NodeProcess node(sandbox, "127.95.0.2", "as_database = \"" + path + "\"\n");
  node.start();
  EXPECT_TRUE(said(node, "warn  the AS database " + path + " cannot be used: No such file"))
      << node.log();
  mmdb::write(path, mmdb::three_networks().bytes());
  EXPECT_EQ(node.timectl({"node", "reload"}).status, 0);
  EXPECT_TRUE(said(node, "Dials are spread over ASes by GeoLite2-ASN of 2026-11-21")) << node.log();
  std::filesystem::resize_file(path, 40);  // in place, as a careless update does
  EXPECT_EQ(node.timectl({"node", "reload"}).status, 0);
  EXPECT_TRUE(said(node, "the one from before stays in use")) << node.log();
  EXPECT_EQ(node.timectl({"node", "stop"}).status, 0);
}

}  // namespace
}  // namespace timectl::e2e
