#include "daemon/host_facts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

namespace timectl {
namespace {

namespace fs = std::filesystem;
using diagnose::ResourceFacts;

constexpr std::size_t kMaxFileBytes = 65'536;       // the longest of these has some hundred lines
constexpr std::size_t kMaxDescriptors = 1'000'000;  // counted; a node has some thousand
constexpr std::size_t kMaxCgroupDepth = 32;         // folders from ours up to the root
constexpr std::size_t kMaxLogFiles = 100;           // rotated ones beside the log
constexpr Duration kLeastLogAge = std::chrono::hours(1);  // a younger log says nothing of a day

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFileBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::optional<std::uint64_t> number_of(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failed != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// The words of the line that begins so, from the next one on.
std::vector<std::string> line_after(const std::string& text, std::string_view begins) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(begins)) return words_of(line.substr(begins.size()));
  }
  return {};
}

void add_disk(ResourceFacts& facts, const fs::path& data_dir) {
  struct statvfs disk {};
  if (data_dir.empty() || ::statvfs(data_dir.c_str(), &disk) != 0) return;
  facts.disk_free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  facts.disk_total_bytes = std::uint64_t{disk.f_blocks} * disk.f_frsize;
}

void add_descriptors(ResourceFacts& facts, const fs::path& process) {
  std::error_code failed;
  fs::directory_iterator each(process / "fd", failed);
  if (!failed) {
    std::uint64_t count = 0;
    for (; each != fs::directory_iterator() && count < kMaxDescriptors; each.increment(failed)) {
      if (failed) break;
      ++count;
    }
    facts.descriptors = count;
  }
  const auto limits = line_after(read_text(process / "limits"), "Max open files");
  if (!limits.empty()) facts.descriptors_limit = number_of(limits.front());  // "unlimited": none
}

// The folder of our control group below the root of the hierarchy.
std::optional<fs::path> own_cgroup(const fs::path& process) {
  const auto words = line_after(read_text(process / "cgroup"), "0::/");
  if (read_text(process / "cgroup").find("0::/") == std::string::npos) return std::nullopt;
  const fs::path path(words.empty() ? "" : words.front());
  const bool climbs =
      std::any_of(path.begin(), path.end(), [](const auto& p) { return p == ".."; });
  if (climbs) return std::nullopt;  // we are outside of what this namespace shows
  return path;
}

void add_memory(ResourceFacts& facts, const HostSources& sources) {
  const auto pages = words_of(read_text(sources.process / "statm"));
  if (pages.size() > 1) {
    if (const auto resident = number_of(pages[1])) {
      facts.memory_bytes = *resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
  }
  auto group = own_cgroup(sources.process);
  if (!group) return;
  facts.cgroup = group->string();
  const auto kills = line_after(read_text(sources.cgroups / *group / "memory.events"), "oom_kill ");
  if (!kills.empty()) facts.oom_kills = number_of(kills.front()).value_or(0);
  // Each folder above ours may allow less.
  for (std::size_t i = 0; i < kMaxCgroupDepth; ++i) {
    const auto words = words_of(read_text(sources.cgroups / *group / "memory.max"));
    const auto limit = words.empty() ? std::nullopt : number_of(words.front());  // "max": none
    if (limit)
      facts.memory_limit_bytes = std::min(facts.memory_limit_bytes.value_or(*limit), *limit);
    if (group->empty()) break;
    *group = group->parent_path();
  }
}

struct LogFile {
  std::uint64_t bytes = 0;
  std::optional<WallTime> born = {};
};

std::optional<LogFile> look_at(const fs::path& path) {
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_SIZE | STATX_BTIME | STATX_TYPE, &info) != 0 ||
      !S_ISREG(info.stx_mode)) {
    return std::nullopt;
  }
  LogFile file{.bytes = info.stx_size};
  if ((info.stx_mask & STATX_BTIME) != 0) {
    file.born = WallTime(std::chrono::seconds(info.stx_btime.tv_sec));
  }
  return file;
}

// "node.log" and what was rotated away from it: "node.1.log".
void add_log(ResourceFacts& facts, const fs::path& log, WallTime now) {
  if (log.empty()) return;
  const auto present = look_at(log);
  if (!present) return;
  std::uint64_t bytes = present->bytes;
  auto born = present->born;
  for (std::size_t i = 1; i <= kMaxLogFiles; ++i) {
    auto rotated = log;
    rotated.replace_filename(log.stem().string() + "." + std::to_string(i) +
                             log.extension().string());
    const auto file = look_at(rotated);
    if (!file) break;
    bytes += file->bytes;
    if (file->born && (!born || *file->born < *born)) born = file->born;
  }
  facts.log_bytes = bytes;
  if (!born || now - *born < kLeastLogAge) return;
  constexpr double kDay = 86'400;
  facts.log_bytes_a_day = static_cast<std::uint64_t>(static_cast<double>(bytes) * kDay /
                                                     seconds(Duration(now - *born)));
}

}  // namespace

ResourceFacts host_facts(const HostSources& sources, WallTime now) {
  ResourceFacts facts;
  add_disk(facts, sources.data_dir);
  add_descriptors(facts, sources.process);
  add_memory(facts, sources);
  add_log(facts, sources.log_file, now);
  return facts;
}

}  // namespace timectl
