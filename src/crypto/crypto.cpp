#include "crypto/crypto.hpp"

#include <openssl/evp.h>

#include "base/check.hpp"

namespace meshai::crypto {

digest sha256(std::string_view text) {
  digest out;
  unsigned int size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), out.data(), &size, EVP_sha256(), nullptr) == 1);
  CHECK(size == out.size());
  return out;
}

}  // namespace meshai::crypto
