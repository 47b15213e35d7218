#pragma once
// What the server shows of itself over TLS: the certificate chain and the key that the operator
// names, TLS 1.2 and newer.

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "daemon/core/result.h"

namespace timectl::web {

// Errors: bad_data, naming the file that cannot be used.
[[nodiscard]] Result<std::shared_ptr<boost::asio::ssl::context>> server_tls(
    const std::string& certificate_file, const std::string& key_file);

}  // namespace timectl::web
