#include "daemon/observe/metrics_library.h"

#include <dlfcn.h>

#include <variant>

#include "daemon/core/events.h"

namespace timectl::observe {
namespace {

// Debian's package libprometheus-cpp-core1.0. The soname is the ABI that the headers describe.
constexpr const char* kLibrary = "libprometheus-cpp-core.so.1.0";
// prometheus::TextSerializer's table of virtual functions, and the function of its base that
// calls the right one and returns the text (prometheus/serializer.h), as the C++ ABI names them.
constexpr const char* kTable = "_ZTVN10prometheus14TextSerializerE";
constexpr const char* kSerialize =
    "_ZNK10prometheus10Serializer9SerializeB5cxx11ERKSt6vectorINS_12MetricFamilyESaIS2_EE";
constexpr std::size_t kTableHead = 2 * sizeof(void*);  // the offset to top and the type come first

struct Library {
  const void* table = nullptr;  // a TextSerializer is a pointer to it: it has no members
  std::string (*serialize)(const void* serializer,
                           const std::vector<prometheus::MetricFamily>& families) = nullptr;
};

std::variant<Library, Error> load() {
  const auto missing = [](const std::string& why) {
    return Error{Code::internal,
                 "the library that writes metrics cannot be used",
                 why,
                 {"apt install libprometheus-cpp-core1.0"}};
  };
  void* handle = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = ::dlerror();
    return missing(printable(reason == nullptr ? "" : reason));
  }
  const auto* table = static_cast<const char*>(::dlsym(handle, kTable));
  Library library;
  library.serialize = reinterpret_cast<decltype(library.serialize)>(::dlsym(handle, kSerialize));
  if (table == nullptr || library.serialize == nullptr) {
    return missing(std::string(kLibrary) + " is not prometheus-cpp 1.0");
  }
  library.table = table + kTableHead;
  return library;
}

}  // namespace

Result<std::string> prometheus_text(const std::vector<prometheus::MetricFamily>& families) {
  static const auto kLoaded = load();
  if (const auto* error = std::get_if<Error>(&kLoaded)) return *error;
  const auto& library = std::get<Library>(kLoaded);
  return library.serialize(&library.table, families);
}

}  // namespace timectl::observe
