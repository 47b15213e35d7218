#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "cmd/commands.h"
#include "cmd/tree.h"
#include "daemon/wire/transcript.h"
#include "daemon/wire/transcript_encoder.h"

namespace timectl::cmd {
namespace {

constexpr int kBadData = 65;
constexpr std::size_t kMaxComplaints = 20;

struct WireOptions {
  std::string file = "-";
  bool hex = false;
  bool legacy_blocks = false;
  std::uint32_t commit = wire::current_commit;
};

// A file or the standard input, read in pieces: a pipe may never end.
class Input {
 public:
  static Result<Input> open(const std::string& file) {
    if (file == "-") return Input(STDIN_FILENO, file);
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) return Input(fd, file);
    const int error = errno;
    const Code code = error == ENOENT   ? Code::not_found
                      : error == EACCES ? Code::access_denied
                                        : Code::input_output;
    return Error{code, "cannot open " + file, std::strerror(error), {"ls -l " + file}};
  }
  Input(Input&& other) noexcept : fd_(other.fd_), name_(std::move(other.name_)) { other.fd_ = -1; }
  Input& operator=(Input&&) = delete;
  ~Input() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }

  // Empty at the end.
  Result<std::string_view> read() {
    while (true) {
      const auto got = ::read(fd_, buffer_->data(), buffer_->size());
      if (got >= 0) return std::string_view(buffer_->data(), static_cast<std::size_t>(got));
      if (errno != EINTR) {
        return Error{Code::input_output, "cannot read " + name_, std::strerror(errno)};
      }
    }
  }

 private:
  Input(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  int fd_;
  std::string name_;
  std::unique_ptr<std::array<char, 65'536>> buffer_ = std::make_unique<std::array<char, 65'536>>();
};

Result<int> decode(Context& context, const WireOptions& options) {
  auto input = Input::open(options.file);
  if (!input) return input.error();
  wire::TranscriptOptions form;
  if (options.hex) form.input = wire::TranscriptOptions::Input::hex;
  form.commit_count = options.commit;
  form.legacy_blocks = options.legacy_blocks;
  wire::TranscriptDecoder decoder(form);
  while (!decoder.stopped()) {
    const auto chunk = input->read();
    if (!chunk) return chunk.error();
    if (chunk->empty()) break;
    context.out.text(decoder.feed(*chunk));
    context.out.flush();  // a live pipe shows each frame as it comes
  }
  context.out.text(decoder.finish());
  context.out.flush();
  if (decoder.leftover_bytes() > 0) {
    const bool one = decoder.leftover_bytes() == 1;
    context.out.note(std::to_string(decoder.leftover_bytes()) +
                     (one ? " byte at the end is" : " bytes at the end are") + " no frame header");
  }
  return decoder.failed() ? kBadData : 0;
}

// Errors of single lines, so that one run names them all; the frames of the other lines are there.
class Complaints {
 public:
  explicit Complaints(Output& out) : out_(out) {}
  void add(const std::vector<std::string>& errors) {
    for (const auto& error : errors) {
      if (++count_ <= kMaxComplaints) out_.error(Error{Code::bad_data, error});
    }
  }
  void finish() {
    if (count_ > kMaxComplaints) {
      out_.note("and " + std::to_string(count_ - kMaxComplaints) + " more lines like these");
    }
  }

 private:
  Output& out_;
  std::size_t count_ = 0;
};

void put_frames(Output& out, const std::vector<std::uint8_t>& frames, bool hex) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  if (!hex) {
    text.assign(frames.begin(), frames.end());
  } else {
    text.reserve(2 * frames.size() + 1);
    for (const auto byte : frames) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 0xf];
    }
    if (!text.empty()) text += '\n';
  }
  out.text(text);
  out.flush();
}

Result<int> encode(Context& context, const WireOptions& options) {
  auto input = Input::open(options.file);
  if (!input) return input.error();
  wire::TranscriptEncoder encoder(options.commit);
  Complaints complaints(context.out);
  const auto put = [&](const wire::TranscriptEncoder::Output& output) {
    put_frames(context.out, output.frames, options.hex);
    complaints.add(output.errors);
  };
  while (true) {
    const auto chunk = input->read();
    if (!chunk) return chunk.error();
    if (chunk->empty()) break;
    put(encoder.feed(*chunk));
  }
  put(encoder.finish());
  complaints.finish();
  return encoder.failed() ? kBadData : 0;
}

}  // namespace

void add_wire(CLI::App& root, Context& context) {
  auto& wire = add_command(root, "wire", "frames of the P2P protocol to JSON lines and back",
                           {{"wire decode capture.bin", "frames of a file, one object a line"}});
  auto options = std::make_shared<WireOptions>();

  auto& decoding = add_command(
      wire, "decode", "frames to JSON, one object a line; 65 if one did not decode",
      {{"wire decode capture.bin", "raw frames; hex digits are recognised, too"},
       {"wire decode --hex frames.txt", "hex digits, white space ignored"},
       {"wire decode --commit 2100 < old.bin", "as peers of that commit count send them"}});
  add_argument(decoding, "file", Count::at_most_one, options->file, "FILE",
               "a file, or - for the standard input");
  add_flag(decoding, "--hex", options->hex, "the input is hex digits");
  add_flag(decoding, "--legacy-blocks", options->legacy_blocks, "also read blocks of before 1.3");
  add_option(decoding, "--commit", options->commit, "N", "commit count of the sender");
  on_run(decoding, context, [&context, options] { return decode(context, *options); });

  auto& encoding = add_command(wire, "encode", "JSON lines, as decode prints them, to raw frames",
                               {{"wire encode frames.jsonl > capture.bin", "the inverse of decode"},
                                {"wire encode --hex frames.jsonl", "as hex digits"}});
  add_argument(encoding, "file", Count::at_most_one, options->file, "FILE",
               "a file, or - for the standard input");
  add_flag(encoding, "--hex", options->hex, "write hex digits");
  add_option(encoding, "--commit", options->commit, "N", "commit count of the receiver");
  on_run(encoding, context, [&context, options] { return encode(context, *options); });
}

}  // namespace timectl::cmd
