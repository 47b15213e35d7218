// The one place where Asio's TLS is compiled; the rest of Asio is compiled in daemon/net.
#include <boost/asio/ssl/impl/src.hpp>
