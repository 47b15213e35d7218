#pragma once
// What the host still has for this node: disk, descriptors, memory, the size of its log. Read from
// /proc, /sys and the file systems when somebody asks (`timectl diagnose`); some file reads, each
// bounded, no network. What cannot be read is empty, never 0.

#include <filesystem>
#include <string>

#include "daemon/core/time.h"
#include "daemon/diagnose/node_facts.h"

namespace timectl {

struct HostSources {
  std::filesystem::path data_dir = {};  // whose file system is meant; empty: not asked
  std::string log_file = {};            // empty: the log goes elsewhere, its size is unknown
  std::filesystem::path process = "/proc/self";
  std::filesystem::path cgroups = "/sys/fs/cgroup";  // version 2
};

// `now`: for the growth of the log.
[[nodiscard]] diagnose::ResourceFacts host_facts(const HostSources& sources, WallTime now);

}  // namespace timectl
