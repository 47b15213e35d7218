# Flags of every own target: timectl_options is linked PRIVATE by each of them.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# -O3 costs a sixth more of the compiler's time and gains nothing that the benchmarks show.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

find_program(TIMECTL_CCACHE ccache)
if(TIMECTL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${TIMECTL_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TIMECTL_CCACHE})
endif()

add_library(timectl_options INTERFACE)
target_include_directories(timectl_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(timectl_options INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees coroutine frames as mismatched new and delete, and when it inlines it sees overflows in
  # std::rotate, std::vector and std::string that are none (GCC bug 105651 and its kin). The sanitizers
  # and clang look for the real ones.
  target_compile_options(timectl_options INTERFACE -Wno-mismatched-new-delete -Wno-restrict
    -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
endif()
target_compile_definitions(timectl_options INTERFACE TIMECTL_VERSION="${PROJECT_VERSION}")

if(TIMECTL_SANITIZE)
  # -g1: stack traces need lines, not variables, and full debug information doubles the link time.
  add_compile_options(-g1 -fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(TIMECTL_TSAN)
  add_compile_options(-g1 -fsanitize=thread -Wno-tsan)
  add_link_options(-fsanitize=thread)
elseif(TIMECTL_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "TIMECTL_FUZZ needs clang: use the preset `fuzz`")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=function
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
else()
  # One binary that needs only the C library, without what the archives bring and nobody calls.
  # With a sanitizer the C++ runtime stays shared: libasan brings it, and two copies of it disagree.
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-static-libstdc++ -static-libgcc -Wl,--gc-sections -Wl,--as-needed)
endif()
