// What is hidden of a text that repeats a request, and what is left of one that does not.
#include "daemon/sinks/redaction.h"

#include <gtest/gtest.h>

namespace timectl::sinks {
namespace {

const std::string kDots = "\xe2\x80\xa6";

TEST(Redaction, HidesTheWholeTheDecodedAndTheLongerParts) {
  const Redaction redaction("/hook/T0SECRET%2fB2345678?key=QUERYKEY&n=7", {"other"});
  EXPECT_EQ(redaction.of("POST /hook/T0SECRET%2fB2345678?key=QUERYKEY&n=7."),
            "POST " + kDots + ".");
  EXPECT_EQ(redaction.of("/hook/t0secret/b2345678"), kDots);
  EXPECT_EQ(redaction.of("no B2345678, no QUERYKEY, no OTHER"),
            "no " + kDots + ", no " + kDots + ", no " + kDots);
}

TEST(Redaction, LeavesATextAloneThatRepeatsNothing) {
  const std::string text = "Invalid token: a/b ?hook= at /api/v2";
  EXPECT_EQ(Redaction("/hook/T0SECRET?a=1", {"", "a"}).of(text), text);
  EXPECT_EQ(Redaction("", {}).of(text), text);
  EXPECT_EQ(Redaction("/", {}).of(text), text);
  EXPECT_EQ(Redaction("?", {}).of(text), text);
  EXPECT_EQ(Redaction("/%", {}).of("%41 %"), "%41 %");
}

}  // namespace
}  // namespace timectl::sinks
