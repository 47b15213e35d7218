#include "daemon/web/answer.h"

#include <gtest/gtest.h>

namespace timectl::web {
namespace {

Site site() {
  return {.token = std::string(64, 'a')};
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(WebAnswer, EveryAnswerIsProtected) {
  const Asset asset{"/", "text/html", "\"1\"", "page"};
  std::vector<std::string> answers{asset_head(asset, true),
                                   head_text({.type = "text/event-stream", .endless = true})};
  for (const unsigned status : {400U, 401U, 403U, 404U, 405U, 413U, 414U, 421U, 431U, 503U}) {
    answers.push_back(plain_answer({.status = status, .why = "Why."}, site(), true, false));
  }
  answers.push_back(plain_answer({.route = Route::enter, .status = 303}, site(), true, false));
  answers.push_back(plain_answer({.route = Route::not_modified, .status = 304, .asset = &asset},
                                 site(), true, false));
  for (const auto& answer : answers) {
    EXPECT_TRUE(has(answer,
                    "\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; "
                    "style-src 'self'; img-src 'self'; connect-src 'self'; base-uri "
                    "'none'; form-action 'none'; frame-ancestors 'none'\r\n"))
        << answer;
    EXPECT_TRUE(has(answer, "\r\nX-Content-Type-Options: nosniff\r\n"));
    EXPECT_TRUE(has(answer, "\r\nReferrer-Policy: no-referrer\r\n"));
    EXPECT_TRUE(has(answer, "\r\nCross-Origin-Resource-Policy: same-origin\r\n"));
    EXPECT_TRUE(has(answer, "\r\nCache-Control: "));
    EXPECT_FALSE(has(answer, " Error\r\n")) << "a status without its words";
    EXPECT_FALSE(has(answer, "Access-Control-Allow-Origin"));
  }
}

TEST(WebAnswer, TheCookieIsOutOfReachOfScriptsAndOtherSites) {
  const Decision enter{.route = Route::enter, .status = 303};
  auto plain = plain_answer(enter, site(), true, false);
  EXPECT_TRUE(has(plain, "\r\nSet-Cookie: timectl_aaaaaaaa=" + site().token +
                             "; HttpOnly; SameSite=Strict; Path=/\r\n"));
  EXPECT_TRUE(has(plain, "\r\nLocation: /\r\n"));
  EXPECT_TRUE(has(plain, "\r\nCache-Control: no-store\r\n"));
  auto secure = site();
  secure.tls = true;
  EXPECT_TRUE(has(plain_answer(enter, secure, true, false), "; Path=/; Secure\r\n"));
  EXPECT_FALSE(has(plain_answer({.status = 401, .why = "No."}, site(), true, false), "Set-Cookie"));
}

TEST(WebAnswer, WhoHasNoTokenIsToldWhereItIs) {
  Head head{.method = "GET", .target = "/", .hosts = 1, .host = "localhost"};
  const Asset asset{"/", "text/html", "\"1\"", "page"};
  auto shown = site();
  shown.assets = {&asset, 1};
  const auto decision = decide(head, shown);
  const auto answer = plain_answer(decision, shown, true, false);
  EXPECT_TRUE(has(answer, "timectl node info"));
  EXPECT_TRUE(has(answer, "<!doctype html>"));
  EXPECT_TRUE(has(answer, "\r\nWWW-Authenticate: Bearer"));
  EXPECT_FALSE(has(answer, site().token));
}

TEST(WebAnswer, HeadHasTheLengthAndNoBody) {
  const Decision refusal{.status = 404, .why = "Why."};
  const auto whole = plain_answer(refusal, site(), true, false);
  const auto head = plain_answer(refusal, site(), true, true);
  EXPECT_EQ(whole, head + "Why.\n");
  EXPECT_TRUE(has(head, "\r\nContent-Length: 5\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  EXPECT_TRUE(has(plain_answer({.status = 405, .why = "x"}, site(), false, false),
                  "\r\nAllow: GET, HEAD\r\n"));
}

}  // namespace
}  // namespace timectl::web
