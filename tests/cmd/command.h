#pragma once
// Runs the real binary in a home of its own, so that nothing of this machine's configuration or
// state is seen: what a test asserts is what a stranger gets.

#include <map>
#include <string>
#include <vector>

namespace timectl::testing {

struct Ran {
  int status = -1;  // exit status; 128 + n for signal n
  std::string out;
  std::string err;
};

class Sandbox {
 public:
  Sandbox();
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  [[nodiscard]] Ran run(const std::vector<std::string>& arguments,
                        const std::string& input = "") const;
  // Another program in the same home: a shell with our scripts, for example.
  [[nodiscard]] Ran run_program(const std::vector<std::string>& words,
                                const std::string& input = "") const;
  [[nodiscard]] const std::string& directory() const { return directory_; }
  std::string write(const std::string& name, const std::string& text) const;  // returns the path
  void set(const std::string& variable, const std::string& value) { extra_[variable] = value; }

 private:
  std::string directory_;
  std::map<std::string, std::string> extra_;
};

}  // namespace timectl::testing
