#pragma once
// The whole screen of `timectl top`, from what is known, what the user has chosen, and the size of
// the terminal: verdict and facts on top, the gravest alerts, the page of the view, the newest
// events, the keys. On a small terminal the less important gives way and the screen says so.
// Pure: whatever is seen is decided here, and the tests compare it with golden files.

#include "cmd/screen_line.h"
#include "cmd/top_state.h"

namespace timectl::cmd {

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
  friend bool operator==(const ScreenSize&, const ScreenSize&) = default;
};
enum class Charset : std::uint8_t { ascii, utf8 };

// The most that is drawn, whatever a terminal claims.
inline constexpr ScreenSize kLargestScreen{1000, 500};

// Exactly size.rows lines, each of at most size.columns. `out`: for times, ages and their zone.
[[nodiscard]] Lines top_screen(const TopData& data, const TopState& state, const Output& out,
                               ScreenSize size, Charset charset);

// Rows that PgUp and PgDn move by on such a screen.
[[nodiscard]] std::size_t page_of(ScreenSize size);

}  // namespace timectl::cmd
