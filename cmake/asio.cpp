// Asio's own code, compiled once for the whole program (BOOST_ASIO_SEPARATE_COMPILATION). It stands beside the
// precompiled header because whoever includes that needs this.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
