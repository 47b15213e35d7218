#pragma once
// How tests look at a diagnosis: one finding of it, and all of it as text for a failure's message.

#include <string>
#include <string_view>

#include "daemon/diagnose/rules.h"

namespace timectl::diagnose {

[[nodiscard]] const Finding* found(const Diagnosis& diagnosis, std::string_view code);  // or null
[[nodiscard]] std::string told(const Diagnosis& d);

}  // namespace timectl::diagnose
