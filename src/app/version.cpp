#include "app/version.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <boost/version.hpp>

namespace meshai::app {

std::string version_text(bool json) {
  if (!json) return fmt::format("meshai {}\n", MESHAI_VERSION);
  return fmt::format("{{\"version\":\"{}\",\"boost\":\"{}.{}\",\"openssl\":\"{}\"}}\n", MESHAI_VERSION,
                     BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, OpenSSL_version(OPENSSL_VERSION_STRING));
}

}  // namespace meshai::app
