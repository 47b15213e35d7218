#include "daemon/web/tls.h"

#include <openssl/ssl.h>

namespace timectl::web {
namespace {

namespace ssl = boost::asio::ssl;

Error cannot(const std::string& file, const boost::system::error_code& failed) {
  return {Code::bad_data,
          "cannot use " + file,
          failed.message(),
          {"dashboard.tls_certificate and dashboard.tls_key are PEM files that the node can read"}};
}

}  // namespace

Result<std::shared_ptr<ssl::context>> server_tls(const std::string& certificate_file,
                                                 const std::string& key_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  auto* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // streams are idle most of the time
  boost::system::error_code failed;
  context->use_certificate_chain_file(certificate_file, failed);
  if (failed) return cannot(certificate_file, failed);
  // A key behind a passphrase would be asked for on a terminal that a node does not have.
  context->set_password_callback(
      [](std::size_t, ssl::context::password_purpose) { return std::string(); }, failed);
  context->use_private_key_file(key_file, ssl::context::pem, failed);
  if (failed) return cannot(key_file, failed);
  if (SSL_CTX_check_private_key(native) != 1) {
    return Error{Code::bad_data, "the key in " + key_file + " is not that of " + certificate_file};
  }
  return context;
}

}  // namespace timectl::web
