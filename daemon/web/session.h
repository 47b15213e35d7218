#pragma once
// One connection of the web server: reads heads, answers them one after the other, or becomes a
// stream of the board. Made by the server, on whose thread everything runs.
//
// Promises: one answer at a time is held, and the next head is read after it was written, so that a
// client that never reads costs one frame that is shared with others, and is closed at a deadline.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "daemon/core/time.h"
#include "daemon/web/board.h"
#include "daemon/web/head_reader.h"
#include "daemon/web/link.h"
#include "daemon/web/request.h"
#include "daemon/web/supply.h"

namespace timectl::web {

struct Limits {
  std::size_t connections = 256;  // in all
  std::size_t streams = 240;      // of them; the rest stays for the page and its files
  std::size_t head_bytes = 8192;
  Duration head = std::chrono::seconds(10);        // from the first byte, and for the first head
  Duration idle = std::chrono::seconds(60);        // between two requests
  Duration write = std::chrono::seconds(30);       // one answer, or one frame of a stream
  Duration alive = std::chrono::seconds(15);       // a comment on a silent stream
  Duration first_board = std::chrono::seconds(2);  // how long a new stream waits for fresh values
  Duration tick = std::chrono::seconds(1);         // how exactly these are kept
};

class Session;

// What sessions share; the server's, and outlives them.
struct Hall {
  Limits limits = {};
  Duration now = {};  // of the last tick
  Board board = {};
  bool board_fresh = false;  // it has been filled since somebody looks
  std::size_t streams = 0;
  std::function<void(Route route, Supply::Take take)> ask = {};
  std::function<void()> watched = {};  // the first stream is there
  std::function<void(const std::shared_ptr<Session>& session)> closed = {};
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Hall& hall, std::shared_ptr<const Site> site, std::unique_ptr<Link> link);

  void start();
  void feed();  // the board may have changed: the stream's next frame
  void tick();  // time has passed
  void close();
  // Nothing of it is being answered: it may have to make room.
  [[nodiscard]] bool waits() const {
    return stage_ != Stage::answering && stage_ != Stage::streaming;
  }

 private:
  enum class Stage : std::uint8_t { handshake, reading, answering, streaming, draining, closed };

  void expect(Duration within) { deadline_ = hall_.now + within + hall_.limits.tick; }
  void read();
  void on_read(Failure failed, std::size_t size);
  void advance(HeadReader::State state);
  void serve();
  void serve_text(Route route);
  void begin_stream();
  void send(std::string head, Buffer owner, std::string_view body);
  void on_sent(Failure failed);
  void drain();

  Hall& hall_;
  std::shared_ptr<const Site> site_;
  std::unique_ptr<Link> link_;
  HeadReader reader_;
  std::array<char, 4096> input_{};
  Stage stage_ = Stage::handshake;
  Duration deadline_{};
  std::string head_;  // of the answer under way
  Buffer owner_;      // of its body
  bool keep_ = false;
  bool head_only_ = false;
  bool writing_ = false;
  bool told_ready_ = false;
  std::size_t drained_ = 0;
  std::uint64_t cursor_ = 0;
  Duration last_sent_{};
  Duration opened_{};
};

}  // namespace timectl::web
