# Debian 12's libraries. Third-party archives are linked statically (the C library is not): a dynamic
# binary spends 9 ms of a command's 10 ms in the loader, the static one 2.
find_package(Threads REQUIRED)

set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS headers json)

set(OPENSSL_USE_STATIC_LIBS ON)
find_package(OpenSSL 3.0 REQUIRED)

# SQLiteCpp's own package file takes whatever FindSQLite3 finds: make that the archive, which needs libm.
find_library(SQLite3_LIBRARY NAMES libsqlite3.a REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
set_property(TARGET SQLite::SQLite3 APPEND PROPERTY INTERFACE_LINK_LIBRARIES m)
find_package(SQLiteCpp CONFIG REQUIRED)

# Its headers: libcurl is loaded when a list is fetched (daemon/discovery/curl_library.h).
find_package(CURL 7.87 REQUIRED)

find_package(toml11 CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)

find_path(FMT_INCLUDE_DIR fmt/format-inl.h REQUIRED)
add_library(timectl_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt/format.cc)
target_include_directories(timectl_fmt SYSTEM PUBLIC ${FMT_INCLUDE_DIR})
add_library(fmt::fmt ALIAS timectl_fmt)

find_path(MAXMINDDB_INCLUDE_DIR maxminddb.h REQUIRED)
find_library(MAXMINDDB_LIBRARY NAMES libmaxminddb.a REQUIRED)
add_library(maxminddb::maxminddb STATIC IMPORTED)
set_target_properties(maxminddb::maxminddb PROPERTIES
  IMPORTED_LOCATION ${MAXMINDDB_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${MAXMINDDB_INCLUDE_DIR})

# The wide one, for `timectl top`.
find_path(NCURSES_INCLUDE_DIR curses.h REQUIRED)
find_library(NCURSESW_LIBRARY NAMES libncursesw.a REQUIRED)
find_library(TINFO_LIBRARY NAMES libtinfo.a REQUIRED)
add_library(ncursesw::ncursesw STATIC IMPORTED)
set_target_properties(ncursesw::ncursesw PROPERTIES
  IMPORTED_LOCATION ${NCURSESW_LIBRARY}
  INTERFACE_LINK_LIBRARIES ${TINFO_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${NCURSES_INCLUDE_DIR})

# Its headers: the library is loaded when metrics are switched on (daemon/observe/metrics_library.h).
find_path(PROMETHEUS_CPP_INCLUDE_DIR prometheus/text_serializer.h REQUIRED)
add_library(prometheus-cpp::headers INTERFACE IMPORTED)
target_include_directories(prometheus-cpp::headers INTERFACE ${PROMETHEUS_CPP_INCLUDE_DIR})
