#pragma once
// The text of answers: status line and fields, the same protective ones on each of them. Used by
// the session.

#include <string>
#include <string_view>

#include "daemon/web/request.h"

namespace timectl::web {

struct AnswerHead {
  unsigned status = 200;
  std::string_view type = {};  // of the content; empty: none
  std::size_t length = 0;
  bool endless = false;  // a stream: no length, and the connection ends with it
  bool keep_alive = true;
  std::string_view caching = "no-store";
  std::string_view extra = {};  // further whole lines, each with its end
};

[[nodiscard]] std::string head_text(const AnswerHead& head);
// Head and body of whatever needs nothing but the decision: refusals, the way in, 304.
[[nodiscard]] std::string plain_answer(const Decision& decision, const Site& site, bool keep_alive,
                                       bool head_only);
// Of a file of the page, without its body.
[[nodiscard]] std::string asset_head(const Asset& asset, bool keep_alive);

}  // namespace timectl::web
